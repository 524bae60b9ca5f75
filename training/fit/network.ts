// The autoencoder and the heads that live off it, fitted on some rows.
import type { LayersModel } from '@tensorflow/tfjs';
import type { Backend } from '../../core/model/backend.ts';
import type { BundleContent } from '../../core/model/bundle.ts';
import { guessesOf } from '../../core/model/gauge/shifts.ts';
import type { HeadSpec } from '../../core/model/heads/head.ts';
import { fitResidualHead, type ResidualHeadPlan } from '../../core/model/heads/residual/fit.ts';
import { reckonLosses } from '../../core/model/heads/residual/shifts.ts';
import type { ResidualSpec } from '../../core/model/heads/residual/spec.ts';
import { wrapHead } from '../../core/model/heads/variant/fit.ts';
import { innerHead, withInner } from '../../core/model/heads/variant/spec.ts';
import { compileNetwork } from '../../core/model/kernel.ts';
import type { LossSpec } from '../../core/model/losses.ts';
import { encodeFloats } from '../../core/model/numbers.ts';
import { type Prepared, type Variant, variantRows } from '../../core/model/prepared.ts';
import { reconstruct } from '../data/prepare.ts';
import { layersOf, trainAutoencoder } from './autoencoder.ts';

const BATCH = 256;
const EPOCHS = 20;
const MAX_AE_ROWS = 80_000;
const MASK = 0.15;

export interface NetworkOptions {
  readonly seed: number;
  readonly backend: Backend;
  readonly signal: AbortSignal;
  /** Most gradient steps. */
  readonly maxSteps: number;
  /** Share of the steps that are taken: a rough fit to judge others by needs fewer. */
  readonly share: number;
  readonly trim: number;
  /** Rows of the smallest of the networks that judge each other: what a count decides is decided alike for all of them. */
  readonly fewestRows: number;
  readonly heads: readonly ResidualHeadPlan[];
  readonly variants: readonly Variant[];
  /** Absent: what losses do is not measured (withShiftsOf). */
  readonly losses?: LossSpec | undefined;
  readonly progress: (done: number, what: string) => void;
}

export interface Network {
  readonly model: LayersModel;
  readonly network: BundleContent['network'];
  readonly heads: readonly HeadSpec[];
}

/** Trains the autoencoder on some rows and fits the heads that live off it. */
export async function fitNetwork(prepared: Prepared, options: NetworkOptions): Promise<Network> {
  const { seed, backend, signal, maxSteps, share, trim, fewestRows, progress } = options;
  const { channels, count } = prepared;
  const batch = fewestRows < 4 * BATCH ? 64 : BATCH;
  const wanted = Math.max(250, Math.ceil((count * EPOCHS) / batch));
  const model = await trainAutoencoder(sampleRows(prepared), channels, {
    backend,
    seed,
    steps: Math.ceil(Math.min(maxSteps, wanted) * share),
    batch,
    mask: MASK,
    hidden: 64,
    bottleneck: Math.max(2, Math.min(8, Math.ceil(channels / 2))),
    signal,
    progress: (done, all, loss) => progress(done / all, `step ${done}/${all}, loss ${loss.toFixed(4)}`),
  });
  const layers = layersOf(model);
  reconstruct(prepared, layers);
  return {
    model,
    network: layers.map(({ outputs, activation, kernel, bias }) => ({
      outputs,
      activation,
      kernel: encodeFloats(kernel),
      bias: encodeFloats(bias),
    })),
    heads: options.variants.flatMap((variant, v) => {
      const rows = variantRows(prepared, variant);
      const fitted = options.heads.map((plan) => fitResidualHead(plan, rows, trim));
      if (options.losses === undefined) return fitted.map((head) => wrapHead(head, options.variants, v));
      const network = compileNetwork(layers);
      const reckon = reckonLosses(prepared, variant, rows, guessesOf(options.losses, v), network);
      return fitted.map((head) => wrapHead(reckon(head), options.variants, v));
    }),
  };
}

/**
 * The heads with what losses do as it was measured on others, fitted on more rows of the same cars: it is a spread that
 * is usual, and costs as much to measure as the heads to fit.
 */
export const withShiftsOf = (heads: readonly HeadSpec[], measured: readonly HeadSpec[]): HeadSpec[] =>
  heads.map((spec, i) => {
    const { shifts } = innerHead(measured[i]!) as ResidualSpec;
    return shifts === undefined ? spec : withInner(spec, (inner) => ({ ...inner, shifts }) as ResidualSpec);
  });

/** Rows for the autoencoder: all, or an even thinning of them. */
function sampleRows({ features, channels, count }: Prepared): Float32Array {
  const stride = Math.max(1, Math.ceil(count / MAX_AE_ROWS));
  if (stride === 1) return features;
  const kept = Math.floor(count / stride);
  const out = new Float32Array(kept * channels);
  for (let k = 0; k < kept; k += 1)
    out.set(features.subarray(k * stride * channels, (k * stride + 1) * channels), k * channels);
  return out;
}
