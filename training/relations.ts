// The relation heads of all variants of cars, fitted on all rows, and on all but each fold. It is a third of the work of a training and
// needs no TensorFlow, so it is done in a thread of its own while the networks are trained.
import { Worker } from 'node:worker_threads';
import { type ErrorCode, TelltaleError } from '../core/errors.ts';
import type { HeadSpec } from '../core/model/heads/head.ts';
import type { LossSpec } from '../core/model/losses.ts';
import type { Folds } from './folds.ts';
import { fitRelationHead } from './heads/relation.ts';
import { guessesOf } from './heads/shifts.ts';
import type { Prepared } from './prepared.ts';
import { type Variant, variantRows, wrapHead } from './variants.ts';

/** What the thread is given; it is copied, but for features and what was measured, which are shared. */
export interface RelationWork {
  readonly prepared: Omit<Prepared, 'reconstruction'>;
  readonly variants: readonly Variant[];
  readonly folds: Folds;
  readonly seed: number;
  readonly trim: number;
  /** As in TrainInput. */
  readonly relationRows: number | undefined;
  readonly relationUnits?: number | undefined;
  readonly losses: LossSpec;
}

export interface FittedHeads {
  /** Fitted on all rows. */
  readonly final: readonly HeadSpec[];
  /** `folds[k]`: on all rows but those of fold k. */
  readonly folds: readonly (readonly HeadSpec[])[];
}

/** Work done, 0 to 1, and what is being done. */
type Progress = (done: number, what: string) => void;

/** Fits them where it is called. */
export async function fitRelations(work: RelationWork, progress: Progress): Promise<FittedHeads> {
  const { folds, variants, seed, trim, relationRows, relationUnits, losses } = work;
  const { channels, count } = work.prepared;
  // Relations are read without the network.
  const prepared = { ...work.prepared, reconstruction: new Float32Array(count * channels) };
  const final: HeadSpec[] = [];
  const without = Array.from({ length: folds.count }, (): HeadSpec[] => []);
  for (const [v, variant] of variants.entries()) {
    const rows = variantRows(prepared, variant);
    const foldOfRow = folds.ofRow.filter((_, r) => variant.rows[r] === 1);
    const fitted = await fitRelationHead(rows, foldOfRow, folds.count, {
      seed,
      trim,
      maxRows: relationRows,
      maxUnits: relationUnits,
      share: rows.count / count,
      oneRig: folds.byTime,
      guesses: guessesOf(losses, v),
      progress: async (done, what) => progress((v + done) / variants.length, what),
    });
    final.push(wrapHead(fitted.final, variants, v));
    for (const [k, spec] of fitted.folds.entries()) without[k]!.push(wrapHead(spec, variants, v));
  }
  progress(1, 'fitted relations');
  return { final, folds: without };
}

/** What the thread says (relations-thread.ts). */
export type RelationMessage =
  | { readonly kind: 'progress'; readonly done: number; readonly what: string }
  | { readonly kind: 'done'; readonly heads: FittedHeads }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/**
 * Fits them in a thread of its own, which has ended when the promise is settled.
 * @throws TelltaleError ABORTED when `signal` says so
 */
export async function fitRelationsBeside(
  work: RelationWork,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: Progress },
): Promise<FittedHeads> {
  const stopped = () => new TelltaleError('ABORTED', 'training was stopped');
  if (signal.aborted) throw stopped();
  const thread = new Worker(new URL('./relations-thread.ts', import.meta.url), { workerData: work });
  let stop = () => {};
  try {
    return await new Promise<FittedHeads>((resolve, reject) => {
      stop = () => reject(stopped());
      signal.addEventListener('abort', stop, { once: true });
      thread.on('message', (message: RelationMessage) => {
        if (message.kind === 'done') resolve(message.heads);
        else if (message.kind === 'failed') reject(new TelltaleError(message.code, message.message));
        else {
          try {
            progress(message.done, message.what);
          } catch (error) {
            reject(error);
          }
        }
      });
      thread.on('error', reject);
      thread.on('exit', (code) =>
        reject(new Error(`the thread that fits relations ended with code ${code}`)),
      );
    });
  } finally {
    signal.removeEventListener('abort', stop);
    thread.removeAllListeners('message');
    await thread.terminate();
  }
}
