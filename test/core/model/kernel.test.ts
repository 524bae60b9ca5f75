import { describe, expect, it } from 'vitest';
import { loadBackend } from '../../../core/model/backend.ts';
import { checkKernel, kernelDifference } from '../../../core/model/check.ts';
import { compileMap, compileNetwork, type DenseLayer, fastTanh } from '../../../core/model/kernel.ts';
import { normal, seededRandom } from '../../../core/model/random.ts';

describe('fastTanh', () => {
  it('stays within 3e-8 of tanh over its range and is ±1 beyond', () => {
    let worst = 0;
    for (let x = -10; x <= 10; x += 0.0003) worst = Math.max(worst, Math.abs(fastTanh(x) - Math.tanh(x)));
    expect(worst).toBeLessThan(4e-8);
    expect([fastTanh(50), fastTanh(-50), fastTanh(0)]).toEqual([1, -1, 0]);
    expect(fastTanh(Number.POSITIVE_INFINITY)).toBe(1);
  });
});

describe('compileMap', () => {
  it('multiplies as by hand', () => {
    // [1 2 3; 4 5 6] · (1, 10, 100) + (0.5, −1) = (321.5, 653)
    const map = compileMap([1, 2, 3, 4, 5, 6], [0.5, -1], 3, 2);
    map.input.set([1, 10, 100]);
    map.run();
    expect([...map.output.subarray(0, 2)]).toEqual([321.5, 653]);
  });

  it.each([
    [1, 1],
    [7, 16],
    [16, 17],
    [31, 33],
    [200, 3],
    [513, 130],
  ])('agrees with plain loops for %i inputs and %i outputs', (inputs, outputs) => {
    const random = seededRandom(inputs, 'map');
    const matrix = Float32Array.from({ length: inputs * outputs }, () => normal(random));
    const constant = Float32Array.from({ length: outputs }, () => normal(random));
    const map = compileMap(matrix, constant, inputs, outputs);
    for (let i = 0; i < inputs; i += 1) map.input[i] = normal(random);
    map.run();
    for (let o = 0; o < outputs; o += 1) {
      let sum = constant[o]!;
      for (let i = 0; i < inputs; i += 1) sum += matrix[o * inputs + i]! * map.input[i]!;
      expect(map.output[o]).toBeCloseTo(sum, 3);
    }
  });

  it('refuses a matrix of the wrong size', () => {
    expect(() => compileMap([1, 2, 3], null, 2, 2)).toThrow(/invariant/);
  });
});

const layer = (inputs: number, outputs: number, activation: 'tanh' | 'linear', seed: number): DenseLayer => {
  const random = seededRandom(seed, 'layer');
  return {
    inputs,
    outputs,
    activation,
    kernel: Float32Array.from({ length: inputs * outputs }, () => normal(random) / Math.sqrt(inputs)),
    bias: Float32Array.from({ length: outputs }, () => normal(random)),
  };
};

describe('compileNetwork', () => {
  it('computes a network of two layers as by hand', () => {
    // x = (1, 2): first layer 1·0.5 + 2·(−0.25) + 0 = 0 → tanh 0; and 1·1 + 2·0 + 1 = 2 → tanh 2; second 3·0 − 1·tanh 2 + 4.
    const network = compileNetwork([
      {
        inputs: 2,
        outputs: 2,
        activation: 'tanh',
        kernel: Float32Array.of(0.5, 1, -0.25, 0),
        bias: Float32Array.of(0, 1),
      },
      {
        inputs: 2,
        outputs: 1,
        activation: 'linear',
        kernel: Float32Array.of(3, -1),
        bias: Float32Array.of(4),
      },
    ]);
    const output = new Float64Array(1);
    network.run(Float64Array.of(1, 2), output);
    expect(output[0]).toBeCloseTo(4 - Math.tanh(2), 6);
  });

  it('refuses layers that do not fit each other', () => {
    expect(() => compileNetwork([layer(3, 4, 'tanh', 1), layer(5, 2, 'linear', 2)])).toThrow(/does not fit/);
  });

  it('agrees with TensorFlow.js to 1e-5, and a network that does not is refused', async () => {
    const { tf } = await loadBackend('wasm');
    const layers = [layer(24, 64, 'tanh', 1), layer(64, 8, 'linear', 2), layer(8, 64, 'tanh', 3)];
    expect(kernelDifference(tf, layers)).toBeLessThan(1e-5);
    const huge = layers.map((one) => ({ ...one, kernel: one.kernel.map((w) => w * 1e30) }));
    expect(() => checkKernel(tf, huge, 'model x')).toThrow(/model x: the kernel and TensorFlow.js differ/);
  });
});
