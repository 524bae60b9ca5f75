// Dense layers without TensorFlow.js's cost per call: what it trained, compiled to vector instructions (simd.ts) and a
// table for tanh. Held to TensorFlow.js when a model is loaded (check.ts). No call allocates.
import { invariant } from '../errors.ts';
import { compileSteps } from './simd.ts';

export type Activation = 'tanh' | 'linear';

/** A dense layer as TensorFlow keeps it: `kernel[i * outputs + o]`, `bias[o]`. */
export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly activation: Activation;
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/** Steps per unit of the table below; a power of two, so that multiplying is exact. */
const STEPS = 128;
/** tanh(9) differs from 1 by 3e-8, less than a 32-bit float can tell. */
const LIMIT = 9;
const TABLE = Float64Array.from({ length: 2 * LIMIT * STEPS + 1 }, (_, i) => Math.tanh(i / STEPS - LIMIT));

/**
 * tanh by a table of points 1/128 apart and the second-order Taylor step from the nearest one; error below 3e-8, a few
 * times faster than Math.tanh. NaN gives NaN.
 */
export function fastTanh(x: number): number {
  if (x >= LIMIT) return 1;
  if (x <= -LIMIT) return -1;
  const position = (x + LIMIT) * STEPS;
  const index = (position + 0.5) | 0;
  const t = TABLE[index]!;
  const d = (position - index) / STEPS;
  const slope = 1 - t * t;
  // tanh' = 1 - t², tanh'' = -2t(1 - t²)
  return t + d * slope * (1 - d * t);
}

/** A network ready to run. */
export interface Network {
  readonly inputs: number;
  readonly outputs: number;
  /** Runs one row: `input` (inputs long) → `output` (outputs long). */
  run(input: Float64Array, output: Float64Array): void;
}

/** Compiles layers, first to last; each takes what the one before gives. */
export function compileNetwork(layers: readonly DenseLayer[]): Network {
  invariant(layers.length > 0, 'a network without layers');
  layers.forEach(({ inputs, outputs, kernel, bias }, k) => {
    invariant(k === 0 || layers[k - 1]!.outputs === inputs, `layer ${k} does not fit the one before`);
    invariant(kernel.length === inputs * outputs && bias.length === outputs, `layer ${k} has the wrong size`);
  });
  const steps = compileSteps(
    layers.map(({ inputs, outputs, kernel, bias }) => ({
      inputs,
      outputs,
      at: (input, output) => kernel[input * outputs + output]!,
      bias: (output) => bias[output]!,
    })),
  );
  const { inputs } = layers[0]!;
  const { outputs } = layers.at(-1)!;
  const first = steps[0]!.input;
  const last = steps.at(-1)!.output;
  const run = (input: Float64Array, output: Float64Array) => {
    for (let i = 0; i < inputs; i += 1) first[i] = input[i]!;
    for (let k = 0; k < steps.length; k += 1) {
      const step = steps[k]!;
      step.run();
      if (layers[k]!.activation === 'tanh') {
        const values = step.output;
        const count = layers[k]!.outputs;
        for (let o = 0; o < count; o += 1) values[o] = fastTanh(values[o]!);
      }
    }
    for (let o = 0; o < outputs; o += 1) output[o] = last[o]!;
  };
  return { inputs, outputs, run };
}

/** A linear map ready to run: `output = matrix · input + constant`. */
export interface LinearMap {
  /** To be filled, `inputs` long (padding behind it). */
  readonly input: Float32Array;
  /** The result, `outputs` long (padding behind it). */
  readonly output: Float32Array;
  run(): void;
}

/** Compiles a matrix, outputs × inputs (row o holds the weights into output o), and a constant for each output. */
export function compileMap(
  matrix: ArrayLike<number>,
  constant: ArrayLike<number> | null,
  inputs: number,
  outputs: number,
): LinearMap {
  invariant(matrix.length === inputs * outputs, 'a matrix has the wrong size');
  const [step] = compileSteps([
    {
      inputs,
      outputs,
      at: (input, output) => matrix[output * inputs + input]!,
      bias: (output) => (constant === null ? 0 : constant[output]!),
    },
  ]);
  return step!;
}

/** `matrix` outputs × inputs (row o holds the weights into output o) times `input`, plus `bias`, into `output`. */
export function multiply(
  matrix: Float64Array,
  bias: Float64Array | null,
  input: Float64Array,
  inputs: number,
  output: Float64Array,
  outputs: number,
): void {
  const whole = inputs - (inputs % 4);
  let at = 0;
  for (let o = 0; o < outputs; o += 1) {
    let a = bias === null ? 0 : bias[o]!;
    let b = 0;
    let c = 0;
    let d = 0;
    let i = 0;
    for (; i < whole; i += 4) {
      a += matrix[at]! * input[i]!;
      b += matrix[at + 1]! * input[i + 1]!;
      c += matrix[at + 2]! * input[i + 2]!;
      d += matrix[at + 3]! * input[i + 3]!;
      at += 4;
    }
    for (; i < inputs; i += 1) {
      a += matrix[at]! * input[i]!;
      at += 1;
    }
    output[o] = a + b + (c + d);
  }
}
