// The relation heads of all variants of cars, fitted on all rows, and on all but each fold. It is a third of the work of a training and
// needs no TensorFlow, so it is done in a thread of its own while the networks are trained.
import { Worker } from 'node:worker_threads';
import { TelltaleError } from '../core/errors.ts';
import type { HeadSpec } from '../core/model/heads/head.ts';
import type { Folds } from './folds.ts';
import { fitRelationHead } from './heads/relation.ts';
import type { Prepared } from './prepared.ts';
import { type Variant, variantRows, wrapHead } from './variants.ts';

/** What the thread is given; it is copied. */
export interface RelationWork {
  readonly prepared: Omit<Prepared, 'reconstruction'>;
  readonly variants: readonly Variant[];
  readonly folds: Folds;
  readonly seed: number;
  readonly trim: number;
  /** As in TrainInput. */
  readonly relationRows: number | undefined;
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
  const { folds, variants, seed, trim, relationRows } = work;
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
      share: rows.count / count,
      oneRig: folds.byTime,
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
  | { readonly kind: 'done'; readonly heads: FittedHeads };

/**
 * Fits them in a thread of its own.
 * @throws TelltaleError ABORTED when `signal` says so; the thread is ended
 */
export function fitRelationsBeside(
  work: RelationWork,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: Progress },
): Promise<FittedHeads> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./relations-thread.ts', import.meta.url), { workerData: work });
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
    thread.on('message', (message: RelationMessage) => {
      if (message.kind === 'progress') return progress(message.done, message.what);
      end();
      resolve(message.heads);
    });
    thread.on('error', fail);
    thread.on('exit', (code) => fail(new Error(`the thread that fits relations ended with code ${code}`)));
  });
}
