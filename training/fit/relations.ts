// The relation heads of all variants of cars, fitted on all rows, and on all but each fold. It is a third of the work
// of a training and needs no TensorFlow, so it is done in threads of its own, each some of the variants, while the
// networks are trained.
import { Worker } from 'node:worker_threads';
import { type ErrorCode, TelltaleError } from '../../core/errors.ts';
import { guessesOf } from '../../core/model/gauge/shifts.ts';
import type { HeadSpec } from '../../core/model/heads/head.ts';
import { fitRelationHead } from '../../core/model/heads/relation/fit.ts';
import { wrapHead } from '../../core/model/heads/variant/fit.ts';
import type { LossSpec } from '../../core/model/losses.ts';
import type { Prepared } from '../../core/model/prepared.ts';
import { type Variant, variantRows } from '../../core/model/prepared.ts';
import type { Folds } from '../data/folds.ts';

/** What the thread is given; it is copied, but for features and what was measured, which are shared. */
export interface RelationWork {
  readonly prepared: Omit<Prepared, 'reconstruction'>;
  readonly variants: readonly Variant[];
  /** The places of those that are fitted. Default: all. */
  readonly among?: readonly number[];
  readonly folds: Folds;
  readonly seed: number;
  readonly trim: number;
  /** As in TrainInput. */
  readonly relationRows: number | undefined;
  readonly relationUnits?: number | undefined;
  readonly losses: LossSpec;
}

/** One a variant. */
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
  const { among = [...variants.keys()] } = work;
  const { channels, count } = work.prepared;
  // Relations are read without the network.
  const prepared = { ...work.prepared, reconstruction: new Float32Array(count * channels) };
  const final: HeadSpec[] = [];
  const without = Array.from({ length: folds.count }, (): HeadSpec[] => []);
  for (const [place, v] of among.entries()) {
    const variant = variants[v]!;
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
      progress: async (done, what) => progress((place + done) / among.length, what),
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

/** Threads that fit at once, beside the one that trains networks. */
const THREADS = 2;

/** Places of variants for each thread, so that each has about as many rows. */
export function shareOut(rows: readonly number[], threads: number): number[][] {
  const shares = Array.from({ length: Math.min(threads, rows.length) }, () => ({
    rows: 0,
    places: [] as number[],
  }));
  for (const place of [...rows.keys()].sort((a, b) => rows[b]! - rows[a]!)) {
    const least = shares.reduce((a, b) => (b.rows < a.rows ? b : a));
    least.rows += rows[place]!;
    least.places.push(place);
  }
  return shares.map(({ places }) => places.sort((a, b) => a - b));
}

/**
 * Fits them in threads of their own, which have ended when the promise is settled.
 * @throws TelltaleError ABORTED when `signal` says so
 */
export async function fitRelationsBeside(
  work: RelationWork,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: Progress },
): Promise<FittedHeads> {
  const rows = work.variants.map((variant) => variant.rows.reduce((sum, one) => sum + one, 0));
  const shares = shareOut(rows, THREADS);
  const done = shares.map(() => 0);
  // The first to fail stops the other.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const fitted = await Promise.allSettled(
    shares.map((among, i) =>
      fitInThread(
        { ...work, among },
        {
          signal: either,
          progress: (share, what) => {
            done[i] = share;
            progress(done.reduce((a, b) => a + b) / shares.length, what);
          },
        },
      ).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  const heads = fitted.map((one) => {
    if (one.status === 'rejected') throw failed.signal.reason;
    return one.value;
  });
  const inOrder = (of: (heads: FittedHeads) => readonly HeadSpec[]) => {
    const all: HeadSpec[] = [];
    for (const [i, among] of shares.entries())
      for (const [place, v] of among.entries()) all[v] = of(heads[i]!)[place]!;
    return all;
  };
  return {
    final: inOrder(({ final }) => final),
    folds: Array.from({ length: work.folds.count }, (_, k) => inOrder(({ folds }) => folds[k]!)),
  };
}

async function fitInThread(
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
