// The autoencoder in lanes: a network's layers, each a matrix and a tanh over a row.
import { invariant } from '../../errors.ts';
import type { DenseLayer } from '../kernel.ts';
import type { LaneMemory } from './kernel.ts';
import { packMatrix } from './packs.ts';

/** Compiles layers, first to last, from one row to another; each takes what the one before gives. */
export function laneNetwork(
  memory: LaneMemory,
  layers: readonly DenseLayer[],
  input: number,
  output: number,
): () => void {
  const { dense, tanhRow } = memory.kernel;
  let from = input;
  const steps = layers.map(({ inputs, outputs, kernel, bias, activation }, k) => {
    invariant(k === 0 || layers[k - 1]!.outputs === inputs, `layer ${k} does not fit the one before`);
    const matrix = packMatrix(memory, {
      ...{ inputs, outputs, at: (i: number, o: number) => kernel[i * outputs + o]! },
      bias: (o) => bias[o]!,
    });
    const to = k === layers.length - 1 ? output : memory.row(outputs);
    const step = { from, to, matrix, outputs, activation };
    from = to;
    return step;
  });
  return () => {
    for (const { from: row, to, matrix, outputs, activation } of steps) {
      dense(row, matrix, to);
      if (activation === 'tanh') tanhRow(to, outputs);
    }
  };
}
