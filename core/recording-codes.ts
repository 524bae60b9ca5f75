// Codes for "not available" among a column's numbers: 65535, -999 and the like. Left in, they stretch the column's range until no
// fault shows in it. A value is taken for a code when it stands far outside all others AND is a well-known code or comes again
// exactly. What stands far outside only once or twice may be the fault that is looked for: it is kept, and said.

/** Different values kept at either end of a column. */
const KEPT = 8;
/** Different values the others must have, or their spread says nothing. */
const LEAST_OTHERS = 8;
/** How far from the others a well-known code and any other value must stand, in their spans. */
const KNOWN_SPANS = 1;
const FAR_SPANS = 10;
/** The same of a value that is nobody's known code: a battery at exactly 11.6 V among 13.8 to 14.0 is a fault, not a code. */
const UNKNOWN_SPANS = 100;
/** How often a value must come again to be a code: a small known one, or one that nobody knows. */
const AGAIN = 3;
/** Above this nothing is a reading that stands beside readings a thousand spans smaller. */
const NO_READING = 1e12;

/** Greatest and least values of integers and floats, and what programs write for nothing. */
const LARGE_CODES = new Set([
  ...[32_767, -32_768, 65_535, 65_534, 65_533, 32_766, 8_388_607, 16_777_215, -8_388_608, 9999, -9999],
  ...[99_999, -99_999, 999_999, -999_999, 9_999_999, -9_999_999, 99_999_999, -99_999_999, 999_999_999],
  ...[2_147_483_647, -2_147_483_648, -2_147_483_647, 4_294_967_295, 4_294_967_294, 2 ** 63, -(2 ** 63)],
  ...[
    2 ** 64,
    -32_767,
    64_255,
    65_280,
    61_166,
    3.402_823_466e38,
    -3.402_823_466e38,
    9998,
    -9998,
    1e20,
    -1e20,
  ],
]);
const SMALL_CODES = new Set([
  255, 254, 215, -40, 999, -999, 998, -998, -99, 99.99, -99.99, 999.9, -999.9, 9999.9, -9999.9,
]);
/** 16-bit codes after the usual resolutions: 655.35, 6553.5, … */
const SCALED = [0.1, 0.01, 0.001, 0.25, 0.125, 0.5, 1 / 256, 1 / 128].flatMap((step) => [
  65_535 * step,
  32_767 * step,
  -32_768 * step,
]);

const isSmallCode = (value: number) =>
  SMALL_CODES.has(value) || SCALED.some((code) => Math.abs(value - code) <= 1e-6 * Math.abs(code));

/** A value and how often it comes. */
export interface Counted {
  readonly value: number;
  readonly count: number;
}

/** The least (side −1) or greatest (side 1) values of a column with their counts, outermost first, in bounded memory. */
class End {
  readonly #side: 1 | -1;
  readonly #values: number[] = [];
  readonly #counts: number[] = [];
  /** Values further inside than this, times the side, are not among the kept ones. */
  inner = Number.NEGATIVE_INFINITY;

  constructor(side: 1 | -1) {
    this.#side = side;
  }

  add(value: number): void {
    const values = this.#values;
    let at = 0;
    while (at < values.length && this.#side * values[at]! > this.#side * value) at += 1;
    if (values[at] === value) {
      this.#counts[at]! += 1;
      return;
    }
    values.splice(at, 0, value);
    this.#counts.splice(at, 0, 1);
    // A value that was let go never comes back: what is kept only moves outwards. So counts are exact.
    if (values.length > KEPT + 1) {
      values.pop();
      this.#counts.pop();
    }
    if (values.length > KEPT) this.inner = this.#side * values[KEPT]!;
  }

  list(): Counted[] {
    return this.#values.map((value, i) => ({ value, count: this.#counts[i]! }));
  }
}

/** What was found at the ends of a column. */
export interface Extremes {
  /** Values taken for codes. */
  readonly codes: readonly Counted[];
  /** Values that stand far outside all others and are kept. */
  readonly rare: readonly Counted[];
  /** Range of all values that are no codes. */
  readonly min: number;
  readonly max: number;
}

/** The values that are left: how many cells, and how many different ones at the ends. */
interface Others {
  readonly left: number;
  readonly kinds: number;
}

/** Follows the ends of one column. */
export class ColumnEnds {
  readonly #low = new End(-1);
  readonly #high = new End(1);
  #count = 0;

  add(value: number): void {
    this.#count += 1;
    if (value >= this.#high.inner) this.#high.add(value);
    if (-value >= this.#low.inner) this.#low.add(value);
  }

  get count(): number {
    return this.#count;
  }

  find(): Extremes {
    const low = this.#low.list();
    const high = this.#high.list();
    const [only, another] = low;
    if (only === undefined) return NOTHING;
    // A column that holds nothing but a code was never measured.
    if (another === undefined && only.count >= AGAIN && LARGE_CODES.has(only.value))
      return { ...NOTHING, codes: [only] };
    let found: Extremes | null = null;
    let most = -1;
    for (let lows = 0; lows < low.length; lows += 1) {
      for (let highs = 0; highs < high.length; highs += 1) {
        if (lows + highs <= most) continue;
        const split = this.#split(low, high, lows, highs);
        if (split) [found, most] = [split, lows + highs];
      }
    }
    return found ?? NOTHING;
  }

  /** What is at the ends when so many values are taken from either; null: some of them stand too near to the others. */
  #split(low: readonly Counted[], high: readonly Counted[], lows: number, highs: number): Extremes | null {
    const min = low[lows]!.value;
    const max = high[highs]!.value;
    if (min > max) return null;
    const span = Math.max(max - min, 1e-9, 1e-3 * Math.max(Math.abs(min), Math.abs(max)));
    const out = [...low.slice(0, lows), ...high.slice(0, highs)];
    const left = this.#count - out.reduce((sum, { count }) => sum + count, 0);
    if (left <= 0) return null;
    const within = [...low, ...high].filter(({ value }) => value >= min && value <= max);
    const others = { left, kinds: new Set(within.map(({ value }) => value)).size };
    const spans = ({ value }: Counted) => (value > max ? value - max : min - value) / span;
    const codes = out.filter((one) => isCode(one, spans(one), others));
    const rare = out.filter((one) => !codes.includes(one));
    if (!rare.every((one) => isFar(spans(one), others))) return null;
    const kept = rare.map(({ value }) => value);
    return { codes, rare, min: Math.min(min, ...kept), max: Math.max(max, ...kept) };
  }
}

const NOTHING: Extremes = {
  ...{ codes: [], rare: [] },
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
};

function isCode({ value, count }: Counted, spans: number, { left, kinds }: Others): boolean {
  if (LARGE_CODES.has(value) || Math.abs(value) === Math.fround(3.402_823_466e38))
    return spans >= KNOWN_SPANS;
  if (Math.abs(value) >= NO_READING) return spans >= 1000;
  if (kinds < LEAST_OTHERS || count < AGAIN) return false;
  return spans >= (isSmallCode(value) ? KNOWN_SPANS : UNKNOWN_SPANS) && count <= left;
}

const isFar = (spans: number, { kinds }: Others) => kinds >= LEAST_OTHERS && spans >= FAR_SPANS;
