// A matrix times a vector in WebAssembly SIMD: the inner loop of everything the detector computes. A hundred bytes of
// code, assembled here, because plain JavaScript has no vector instructions and spends most of a score on this. 32-bit
// floats, summed in a fixed order: the same bits on every machine.

/** Outputs computed together: eight vectors of four, enough to hide how long an addition takes; four at the end of a matrix. */
const WIDE = 32;
const NARROW = 16;
const PAGE_BYTES = 65_536;

/** Unsigned LEB128, the binary format's way to write a number. */
function leb(value: number): number[] {
  const out: number[] = [];
  let left = value;
  do {
    const low = left & 0x7f;
    left >>>= 7;
    out.push(left === 0 ? low : low | 0x80);
  } while (left !== 0);
  return out;
}

const vector = (items: readonly (readonly number[])[]) => [...leb(items.length), ...items.flat()];
const section = (id: number, bytes: readonly number[]) => [id, ...leb(bytes.length), ...bytes];
const name = (text: string) => [...leb(text.length), ...Buffer.from(text)];

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
/** A constant below 8,192: its LEB128 is signed, so bit 6 of the last byte must be clear. */
const i32 = (value: number) => (value < 64 ? [0x41, value] : [0x41, 0x80 | (value & 0x7f), value >> 7]);
const ADD = 0x6a;
const SUB = 0x6b;
const MUL = 0x6c;
const EQUAL = 0x46;
const IS_ZERO = 0x45;
const BLOCK_OP = [0x02, 0x40];
const LOOP_OP = [0x03, 0x40];
const END = 0x0b;
const branch = (depth: number) => [0x0c, depth];
const branchIf = (depth: number) => [0x0d, depth];
const I32 = 0x7f;
const V128 = 0x7b;
const load = (offset: number) => [0xfd, 0x00, 0x04, ...leb(offset)];
const loadSplat = [0xfd, 0x09, 0x02, 0x00];
const store = (offset: number) => [0xfd, 0x0b, 0x04, ...leb(offset)];
const F32X4_ADD = [0xfd, ...leb(0xe4)];
const F32X4_MUL = [0xfd, ...leb(0xe6)];

/** The code of `dense(input, inputs, weights, output, blocks)`: pointers in bytes; see packWeights for how the weights lie. */
function denseCode(width: number): number[] {
  const [input, inputs, weights, output, blocks, x, end] = [0, 1, 2, 3, 4, 5, 6];
  const sums = Array.from({ length: width / 4 }, (_, k) => 7 + k);
  const splat = 7 + sums.length;
  const advance = (local: number, bytes: number) => [...get(local), ...i32(bytes), ADD, ...set(local)];
  const body = [
    ...BLOCK_OP,
    ...LOOP_OP,
    ...[...get(blocks), IS_ZERO, ...branchIf(1)],
    // The sums begin with the bias.
    ...sums.flatMap((sum, k) => [...get(weights), ...load(16 * k), ...set(sum)]),
    ...advance(weights, 4 * width),
    ...[...get(input), ...set(x)],
    ...[...get(input), ...get(inputs), ...i32(4), MUL, ADD, ...set(end)],
    ...BLOCK_OP,
    ...LOOP_OP,
    ...[...get(x), ...get(end), EQUAL, ...branchIf(1)],
    ...[...get(x), ...loadSplat, ...set(splat)],
    ...sums.flatMap((sum, k) => [
      ...get(sum),
      ...[...get(splat), ...get(weights), ...load(16 * k), ...F32X4_MUL],
      ...[...F32X4_ADD, ...set(sum)],
    ]),
    ...advance(weights, 4 * width),
    ...advance(x, 4),
    ...branch(0),
    ...[END, END],
    ...sums.flatMap((sum, k) => [...get(output), ...get(sum), ...store(16 * k)]),
    ...advance(output, 4 * width),
    ...[...get(blocks), ...i32(1), SUB, ...set(blocks)],
    ...branch(0),
    ...[END, END, END],
  ];
  const locals = vector([
    [2, I32],
    [sums.length + 1, V128],
  ]);
  return [...leb(locals.length + body.length), ...locals, ...body];
}

/** A module of two functions, `wide` and `narrow`, over a memory that is given. */
function assemble(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector([[0x60, ...vector([[I32], [I32], [I32], [I32], [I32]]), 0x00]])),
    ...section(2, vector([[...name('core'), ...name('memory'), 0x02, 0x00, 0x01]])),
    ...section(3, vector([[0x00], [0x00]])),
    ...section(
      7,
      vector([
        [...name('wide'), 0x00, 0x00],
        [...name('narrow'), 0x00, 0x01],
      ]),
    ),
    ...section(10, vector([denseCode(WIDE), denseCode(NARROW)])),
  ]);
}

type Dense = (input: number, inputs: number, weights: number, output: number, blocks: number) => void;

/** What is used of the platform's WebAssembly, which the types of plain ECMAScript leave out. */
interface Wasm {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
}
const wasm = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly;

let compiled: object | undefined;

/** A matrix with its bias: `at(input, output)` is the weight of an input in an output. */
export interface MatrixSpec {
  readonly inputs: number;
  readonly outputs: number;
  readonly at: (input: number, output: number) => number;
  readonly bias: (output: number) => number;
}

/** A step ready to run: reads `input`, writes `output`; both are views of its memory, the output padded with zeros. */
export interface SimdStep {
  readonly input: Float32Array;
  readonly output: Float32Array;
  run(): void;
}

/** Outputs rounded up to whole blocks. */
const padded = (outputs: number) => NARROW * Math.ceil(outputs / NARROW);
const wideBlocks = (outputs: number) => Math.floor(padded(outputs) / WIDE);
const weightCount = ({ inputs, outputs }: MatrixSpec) => padded(outputs) * (inputs + 1);

/** Block after block of outputs: their biases, then for each input its weights in them. */
function packWeights({ inputs, outputs, at, bias }: MatrixSpec, into: Float32Array): void {
  let next = 0;
  for (let first = 0; first < padded(outputs); ) {
    const width = first < WIDE * wideBlocks(outputs) ? WIDE : NARROW;
    for (let i = -1; i < inputs; i += 1) {
      for (let output = first; output < first + width; output += 1) {
        if (output < outputs) into[next] = i < 0 ? bias(output) : at(i, output);
        next += 1;
      }
    }
    first += width;
  }
}

/** Puts matrices that follow each other into one memory: the output of one step is the input of the next. */
export function compileSteps(specs: readonly MatrixSpec[]): SimdStep[] {
  const vectors = [specs[0]!.inputs, ...specs.map(({ outputs }) => outputs)].map(padded);
  const floats = vectors.reduce((a, b) => a + b, 0) + specs.reduce((sum, spec) => sum + weightCount(spec), 0);
  const memory = new wasm.Memory({ initial: Math.ceil((4 * floats) / PAGE_BYTES) });
  compiled ??= new wasm.Module(assemble());
  const { exports } = new wasm.Instance(compiled, { core: { memory } });
  const [wide, narrow] = [exports.wide as Dense, exports.narrow as Dense];
  let next = 0;
  const take = (count: number) => {
    const at = next;
    next += 4 * count;
    return { at, view: new Float32Array(memory.buffer, at, count) };
  };
  const places = vectors.map(take);
  return specs.map((spec, k) => {
    const weights = take(weightCount(spec));
    packWeights(spec, weights.view);
    const from = places[k]!;
    const to = places[k + 1]!;
    const blocks = wideBlocks(spec.outputs);
    const rest = padded(spec.outputs) - WIDE * blocks > 0;
    const restWeights = weights.at + 4 * WIDE * blocks * (spec.inputs + 1);
    const restOutput = to.at + 4 * WIDE * blocks;
    return {
      input: from.view,
      output: to.view,
      run: () => {
        if (blocks > 0) wide(from.at, spec.inputs, weights.at, to.at, blocks);
        if (rest) narrow(from.at, spec.inputs, restWeights, restOutput, 1);
      },
    };
  });
}
