// What a first model (--effort first) can see and what it cannot, in words: said in the terminal, in its card and in
// its report.
import { counted, percent } from '../core/counted.ts';
import type { Evaluation } from './evaluate/evaluate.ts';
import type { Coverage } from './report/coverage.ts';

/** Share of the synthetic faults of a kind from which it is found, and below which it is hardly ever. */
const FOUND = 0.5;
const HARDLY = 0.25;

/** How a fault of each kind (perturb.ts) is spoken of. */
const WORDS: Readonly<Record<string, string>> = {
  bias: 'leaps',
  drift: 'creeps away',
  frozen: 'freezes',
  noise: 'trembles',
  gain: 'moves too far',
  late: 'comes late',
  elsewhere: 'does not belong to the others',
};

const listed = (kinds: readonly string[]) => `what ${kinds.map((kind) => WORDS[kind] ?? kind).join(', ')}`;

/** One sentence or two. */
export function firstModelText(
  { fromMs, toMs, cars }: Coverage,
  { synthetic }: Pick<Evaluation, 'synthetic'>,
): string {
  const kinds = (has: (share: number) => boolean) =>
    synthetic.filter(({ events, found }) => events > 0 && has(found / events)).map(({ kind }) => kind);
  const sum = (of: 'events' | 'found') => synthetic.reduce((total, kind) => total + kind[of], 0);
  const minutes = Math.max(1, Math.round((toMs - fromMs) / 60_000));
  const often = kinds((share) => share >= FOUND);
  const hardly = kinds((share) => share < HARDLY);
  return [
    `a first model, of ${minutes} min of ${counted(cars.count, 'car')}. Of faults put into one signal of cars it had not seen it finds ${percent(sum('found'), Math.max(1, sum('events')))}`,
    ...(often.length > 0 ? [`, most of ${listed(often)}`] : []),
    ...(hardly.length > 0 ? [`, hardly any of ${listed(hardly)}`] : []),
    `. What cars did not do in those ${minutes} min it has never seen, and may take for a fault`,
  ].join('');
}
