// What a first model (--effort first) can see and what it cannot, in words: said in the terminal, in its card and in its report.
import type { Coverage } from './coverage.ts';
import type { Evaluation } from './evaluate.ts';

/** Share of the synthetic faults of a kind from which it is found, and from which it is missed. */
const FOUND = 0.5;
const MISSED = 0.1;

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

const listed = (kinds: readonly string[], none: string) =>
  kinds.length === 0 ? none : `what ${kinds.map((kind) => WORDS[kind] ?? kind).join(', ')}`;

/** One sentence or two. */
export function firstModelText(
  { fromMs, toMs, cars }: Coverage,
  { synthetic }: Pick<Evaluation, 'synthetic'>,
): string {
  const kinds = (has: (share: number) => boolean) =>
    synthetic.filter(({ events, found }) => events > 0 && has(found / events)).map(({ kind }) => kind);
  const minutes = Math.max(1, Math.round((toMs - fromMs) / 60_000));
  const seen = listed(
    kinds((share) => share >= FOUND),
    'only what is far off',
  );
  const missed = listed(
    kinds((share) => share <= MISSED),
    'nothing that was tried',
  );
  return (
    `a first model, of ${minutes} min of ${cars.count.toLocaleString('en')} cars. Of faults put into one signal of cars it had not seen it finds ${seen}; it misses ${missed}. ` +
    `What cars do that they did not do in those ${minutes} min it has never seen, and may take for a fault`
  );
}
