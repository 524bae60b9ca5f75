// Rows as the heads see them, for all series at once: features, what was measured, the autoencoder's reconstruction,
// and where a series begins or resumes after a pause.
import { applyScaler, type Scaler } from '../../core/model/features.ts';
import { MAX_STEPS } from '../../core/model/heads/head.ts';
import { compileNetwork, type DenseLayer } from '../../core/model/kernel.ts';
import type { Prepared } from '../../core/model/prepared.ts';
import type { Series } from './series.ts';

/** Numbers in memory that threads share: a long history is not copied for the thread that fits relations (relations.ts). */
export const sharedFloats = (length: number) => new Float32Array(new SharedArrayBuffer(4 * length));

/** Features of all rows; the reconstruction is still zero. */
export function prepare(
  series: readonly Series[],
  scaler: Scaler,
  width: number,
  { stepMs, gapMs }: { readonly stepMs: number; readonly gapMs: number },
): Prepared {
  const channels = scaler.signals.length;
  const count = series.reduce((sum, { tsMs }) => sum + tsMs.length, 0);
  const features = sharedFloats(count * channels);
  const present = new Uint8Array(new SharedArrayBuffer(count * channels));
  const first = new Uint8Array(count);
  const steps = new Uint8Array(count);
  const row = new Float64Array(channels);
  const measured = new Uint8Array(channels);
  let r = 0;
  for (const { tsMs, values } of series) {
    for (let i = 0; i < tsMs.length; i += 1) {
      applyScaler(scaler, values, row, measured, i * width);
      features.set(row, r * channels);
      present.set(measured, r * channels);
      const elapsedMs = i === 0 ? Number.POSITIVE_INFINITY : tsMs[i]! - tsMs[i - 1]!;
      first[r] = elapsedMs > gapMs ? 1 : 0;
      steps[r] = first[r] === 1 ? 1 : Math.min(MAX_STEPS, Math.max(1, Math.round(elapsedMs / stepMs)));
      r += 1;
    }
  }
  return {
    channels,
    count,
    features,
    present,
    reconstruction: new Float32Array(count * channels),
    first,
    steps,
    losses: new Map(),
  };
}

/** Fills the reconstruction with what the network gives. */
export function reconstruct(prepared: Prepared, layers: readonly DenseLayer[]): void {
  const { channels, count, features, reconstruction } = prepared;
  const network = compileNetwork(layers);
  const input = new Float64Array(channels);
  const output = new Float64Array(channels);
  for (let r = 0; r < count; r += 1) {
    for (let k = 0; k < channels; k += 1) input[k] = features[r * channels + k]!;
    network.run(input, output);
    reconstruction.set(output, r * channels);
  }
}
