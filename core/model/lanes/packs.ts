// Matrices and tails as the kernel reads them (assembly/matrix.ts, assembly/functions.ts).
import { type Tail, tailLevel } from '../tail.ts';
import { type LaneMemory, SLOT } from './kernel.ts';

/** A matrix with its constants: `at(input, output)` is the weight of an input in an output. */
export interface MatrixSpec {
  readonly inputs: number;
  readonly outputs: number;
  readonly at: (input: number, output: number) => number;
  /** Absent: 0. */
  readonly bias?: (output: number) => number;
}

/** Outputs of a block: at most, and at least, the rest being zeros. */
const WIDEST = 6;
const NARROWEST = 4;

/** Blocks that so many outputs are packed in, as even as they can be. */
const blocksOf = (outputs: number): number => Math.ceil(outputs / WIDEST);

/** Bytes a matrix of this size needs at most. */
export function matrixBytes(inputs: number, outputs: number): number {
  return 4 + blocksOf(outputs) * (12 + 4 * WIDEST + 4 * (1 + WIDEST) * inputs);
}

/**
 * Packs outputs `from` to `to`; inputs of weight 0 in a whole block are left out of it. Returns the next index and
 * how many blocks.
 */
function packOutputs(memory: LaneMemory, spec: MatrixSpec, from: number, to: number, start: number) {
  const { inputs, at, bias } = spec;
  const { ints, floats } = memory;
  const blocks = blocksOf(to - from);
  let next = start;
  let first = from;
  for (let left = blocks; left > 0; left -= 1) {
    const end = first + Math.ceil((to - first) / left);
    const width = Math.max(NARROWEST, end - first);
    const outputs = Array.from({ length: width }, (_, i) => first + i);
    const used = Array.from({ length: inputs }, (_, i) => i).filter((i) =>
      outputs.some((output) => output < end && at(i, output) !== 0),
    );
    ints[next] = width;
    ints[next + 1] = used.length;
    ints[next + 2] = SLOT * first;
    next += 3;
    for (const output of outputs) floats[next++] = output < end && bias ? bias(output) : 0;
    for (const input of used) {
      ints[next++] = SLOT * input;
      for (const output of outputs) floats[next++] = output < end ? at(input, output) : 0;
    }
    first = end;
  }
  return { next, blocks };
}

/** Writes a matrix at `place`. `groups`: outputs at which blocks begin anew, since other inputs count from there on. */
export function packMatrixAt(
  memory: LaneMemory,
  place: number,
  spec: MatrixSpec,
  groups: readonly number[] = [0],
): void {
  let next = place / 4 + 1;
  let blocks = 0;
  groups.forEach((from, g) => {
    const packed = packOutputs(memory, spec, from, groups[g + 1] ?? spec.outputs, next);
    next = packed.next;
    blocks += packed.blocks;
  });
  memory.ints[place / 4] = blocks;
}

export function packMatrix(memory: LaneMemory, spec: MatrixSpec, groups: readonly number[] = [0]): number {
  const place = memory.take(matrixBytes(spec.inputs, spec.outputs + WIDEST * groups.length));
  packMatrixAt(memory, place, spec, groups);
  return place;
}

/** A square matrix, row after row. */
export const squareOf = (matrix: ArrayLike<number>, n: number): MatrixSpec => ({
  inputs: n,
  outputs: n,
  at: (input, output) => matrix[output * n + input]!,
});

const GREATEST = 3e38;

/** A tail, as the sum of its stretches. */
export function packTail(memory: LaneMemory, tail: Tail): number {
  const { at, levels, slope } = tail;
  const place = memory.take(8 + 12 * at.length);
  const start = place / 4;
  memory.floats[start] = tailLevel(tail, at[0]!);
  memory.ints[start + 1] = at.length;
  at.forEach((from, j) => {
    const end = at[j + 1];
    const length = end === undefined ? Number.POSITIVE_INFINITY : end - from;
    const rise = end === undefined ? slope : (levels[j + 1]! - levels[j]!) / length;
    memory.floats.set([from, length, Math.min(GREATEST, rise)], start + 2 + 3 * j);
  });
  return place;
}

/** Pointers to tails, one a channel. */
export const packTails = (memory: LaneMemory, tails: readonly Tail[]): number =>
  memory.putInts(tails.map((tail) => packTail(memory, tail)));
