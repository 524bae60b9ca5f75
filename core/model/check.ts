// Holds the kernel (lanes/) to TensorFlow.js: the same weights on the same seeded rows must give the same numbers, or
// the model is refused before it scores anything.
import type { Tensor } from '@tensorflow/tfjs';
import { TelltaleError } from '../errors.ts';
import type { Tf } from './backend.ts';
import type { DenseLayer } from './kernel.ts';
import { LANES, LaneMemory } from './lanes/kernel.ts';
import { laneNetwork } from './lanes/network.ts';
import { normal, seededRandom } from './random.ts';

/** Greatest difference allowed, relative to 1 or to the value where that is larger. */
export const KERNEL_TOLERANCE = 1e-5;
const ROWS = 64;

/** The greatest difference between the kernel and TensorFlow.js over seeded rows, some of them far out. */
export function kernelDifference(tf: Tf, layers: readonly DenseLayer[]): number {
  const width = layers[0]!.inputs;
  const outputs = layers.at(-1)!.outputs;
  const random = seededRandom(1, 'kernel check');
  const rows = Float32Array.from(
    { length: ROWS * width },
    (_, i) => normal(random) * (i < (ROWS / 2) * width ? 1 : 4),
  );
  const wanted = tf.tidy(() => {
    let x: Tensor = tf.tensor2d(rows, [ROWS, width]);
    for (const { inputs, outputs, kernel, bias, activation } of layers) {
      x = tf.add(tf.matMul(x, tf.tensor2d(kernel, [inputs, outputs])), tf.tensor1d(bias));
      if (activation === 'tanh') x = tf.tanh(x);
    }
    return x;
  });
  const expected = wanted.dataSync();
  wanted.dispose();
  const memory = new LaneMemory();
  const [input, output] = [memory.row(width), memory.row(outputs)];
  const run = laneNetwork(memory, layers, input, output);
  memory.kernel.useLanes(LANES);
  let worst = 0;
  for (let first = 0; first < ROWS; first += LANES) {
    for (let lane = 0; lane < LANES; lane += 1)
      for (let i = 0; i < width; i += 1)
        memory.floats[input / 4 + LANES * i + lane] = rows[(first + lane) * width + i]!;
    run();
    for (let lane = 0; lane < LANES; lane += 1)
      for (let o = 0; o < outputs; o += 1) {
        const value = expected[(first + lane) * outputs + o]!;
        const difference = Math.abs(memory.of(output, o, lane) - value) / Math.max(1, Math.abs(value));
        worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
      }
  }
  return worst;
}

/** @throws TelltaleError MODEL_INVALID when the kernel and TensorFlow.js differ by more than KERNEL_TOLERANCE */
export function checkKernel(tf: Tf, layers: readonly DenseLayer[], source: string): void {
  const difference = kernelDifference(tf, layers);
  if (!(difference <= KERNEL_TOLERANCE)) {
    throw new TelltaleError(
      'MODEL_INVALID',
      `${source}: the kernel and TensorFlow.js differ by ${difference.toExponential(1)}, more than ${KERNEL_TOLERANCE}`,
    );
  }
}
