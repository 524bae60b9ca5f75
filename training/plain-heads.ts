// The heads that live off no network: relation, range and shock, fitted for each variant of cars on all rows, and on all but each fold.
// It is half the work of a training and needs no TensorFlow, so it is done in a thread of its own while the network is trained.
import { Worker } from 'node:worker_threads';
import { TelltaleError } from '../core/errors.ts';
import type { HeadSpec } from '../core/model/heads/head.ts';
import type { Folds } from './folds.ts';
import { fitRangeHead } from './heads/range.ts';
import { fitRelationHead } from './heads/relation.ts';
import { fitShockHead } from './heads/shock.ts';
import { type Prepared, selectRows } from './prepared.ts';
import { type Variant, variantRows, wrapHead } from './variants.ts';

/** What the thread is given; it is copied. */
export interface PlainWork {
  readonly prepared: Omit<Prepared, 'reconstruction'>;
  readonly variants: readonly Variant[];
  readonly folds: Folds;
  readonly seed: number;
  readonly trim: number;
  /** As in TrainInput. */
  readonly relationRows: number | undefined;
}

export interface PlainHeads {
  /** Fitted on all rows. */
  readonly final: readonly HeadSpec[];
  /** `folds[k]`: on all rows but those of fold k. */
  readonly folds: readonly (readonly HeadSpec[])[];
}

/** Work done, 0 to 1, and what is being done. */
type Progress = (done: number, what: string) => void;

/** The relation heads of all variants. */
async function fitRelations(work: PlainWork, prepared: Prepared, progress: Progress): Promise<PlainHeads[]> {
  const { folds, variants, seed, trim, relationRows } = work;
  const out: PlainHeads[] = [];
  for (const [v, variant] of variants.entries()) {
    const rows = variantRows(prepared, variant);
    const foldOfRow = folds.ofRow.filter((_, r) => variant.rows[r] === 1);
    const { final, folds: without } = await fitRelationHead(rows, foldOfRow, folds.count, {
      seed,
      trim,
      maxRows: relationRows,
      share: rows.count / prepared.count,
      oneRig: folds.byTime,
      progress: async (done, what) => progress((v + done) / variants.length, what),
    });
    out.push({
      final: [wrapHead(final, variants, v)],
      folds: without.map((spec) => [wrapHead(spec, variants, v)]),
    });
  }
  return out;
}

/** The range and shock heads of all variants. What a jump is cannot be told from a single rig's own past. */
function fitSimple({ folds, variants, trim }: PlainWork, prepared: Prepared): PlainHeads {
  const fit = (keep: (row: number) => boolean) =>
    variants.flatMap((variant, v) => {
      const own = selectRows(prepared, (r) => variant.rows[r] === 1 && keep(r), variant.channels);
      const heads: HeadSpec[] = [fitRangeHead(own, trim)];
      if (!folds.byTime) heads.push(fitShockHead(own, trim));
      return heads.map((head) => wrapHead(head, variants, v));
    });
  return {
    final: fit(() => true),
    folds: Array.from({ length: folds.count }, (_, fold) => fit((r) => folds.ofRow[r] !== fold)),
  };
}

/** Fits them where it is called: relation heads first, then the others. */
export async function fitPlainHeads(work: PlainWork, progress: Progress): Promise<PlainHeads> {
  const { channels, count } = work.prepared;
  const prepared = { ...work.prepared, reconstruction: new Float32Array(count * channels) };
  const relations = await fitRelations(work, prepared, (done, what) => progress(0.75 * done, what));
  progress(0.75, 'fitting ranges and shocks');
  const all = [...relations, fitSimple(work, prepared)];
  progress(1, 'fitted relations, ranges and shocks');
  return {
    final: all.flatMap(({ final }) => final),
    folds: Array.from({ length: work.folds.count }, (_, fold) => all.flatMap(({ folds }) => folds[fold]!)),
  };
}

/** What the thread says (plain-thread.ts). */
export type PlainMessage =
  | { readonly kind: 'progress'; readonly done: number; readonly what: string }
  | { readonly kind: 'done'; readonly heads: PlainHeads };

/**
 * Fits them in a thread of its own.
 * @throws TelltaleError ABORTED when `signal` says so; the thread is ended
 */
export function fitPlainHeadsBeside(
  work: PlainWork,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: Progress },
): Promise<PlainHeads> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./plain-thread.ts', import.meta.url), { workerData: work });
    const end = () => {
      signal.removeEventListener('abort', stop);
      void thread.terminate();
    };
    const fail = (error: unknown) => {
      end();
      reject(error);
    };
    const stop = () => fail(new TelltaleError('ABORTED', 'training was stopped'));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    thread.on('message', (message: PlainMessage) => {
      if (message.kind === 'progress') return progress(message.done, message.what);
      end();
      resolve(message.heads);
    });
    thread.on('error', fail);
    thread.on('exit', (code) => fail(new Error(`the thread that fits relations ended with code ${code}`)));
  });
}
