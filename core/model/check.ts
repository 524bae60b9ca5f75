// Holds the kernel to TensorFlow.js: the same weights on the same seeded rows must give the same numbers, or the model is
// refused before it scores anything.
import type { Tensor } from '@tensorflow/tfjs';
import { TelltaleError } from '../errors.ts';
import type { Tf } from './backend.ts';
import { compileNetwork, type DenseLayer } from './kernel.ts';
import { normal, seededRandom } from './random.ts';

/** Greatest difference allowed, relative to 1 or to the value where that is larger. */
export const KERNEL_TOLERANCE = 1e-5;
const ROWS = 64;

/** The greatest difference between the kernel and TensorFlow.js over seeded rows, some of them far out. */
export function kernelDifference(tf: Tf, layers: readonly DenseLayer[]): number {
  const network = compileNetwork(layers);
  const random = seededRandom(1, 'kernel check');
  const rows = Float32Array.from(
    { length: ROWS * network.inputs },
    (_, i) => normal(random) * (i < (ROWS / 2) * network.inputs ? 1 : 4),
  );
  const wanted = tf.tidy(() => {
    let x: Tensor = tf.tensor2d(rows, [ROWS, network.inputs]);
    for (const { inputs, outputs, kernel, bias, activation } of layers) {
      x = tf.add(tf.matMul(x, tf.tensor2d(kernel, [inputs, outputs])), tf.tensor1d(bias));
      if (activation === 'tanh') x = tf.tanh(x);
    }
    return x;
  });
  const expected = wanted.dataSync();
  wanted.dispose();
  const input = new Float64Array(network.inputs);
  const output = new Float64Array(network.outputs);
  let worst = 0;
  for (let r = 0; r < ROWS; r += 1) {
    for (let i = 0; i < input.length; i += 1) input[i] = rows[r * input.length + i]!;
    network.run(input, output);
    for (let o = 0; o < output.length; o += 1) {
      const value = expected[r * output.length + o]!;
      const difference = Math.abs(output[o]! - value) / Math.max(1, Math.abs(value));
      if (!(difference <= worst)) worst = difference;
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
