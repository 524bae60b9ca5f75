// JSON written straight into bytes: constant pieces copied, numbers of few decimals written digit by digit. Turning an object
// into a string and that into bytes costs several times as much, and a score is written for every event of every car.

const ZERO = 0x30;
const MINUS = 0x2d;
const DOT = 0x2e;
const TENS = Float64Array.from({ length: 16 }, (_, i) => 10 ** i);
/** Largest scaled number written digit by digit. */
const MAX_SCALED = 2 ** 31 - 1;

export class ByteWriter {
  #bytes = Buffer.allocUnsafe(4096);
  #at = 0;
  readonly #digits = new Uint8Array(20);

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + count));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }

  /** Bytes as they are. */
  piece(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    if (bytes.length < 24) for (let i = 0; i < bytes.length; i += 1) this.#bytes[this.#at + i] = bytes[i]!;
    else this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Text that needs no escape, or is JSON already. */
  text(text: string): void {
    this.#reserve(3 * text.length);
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** A number rounded to `decimals` (0 to 9), without trailing zeros; `null` when it is not finite. */
  number(value: number, decimals: number): void {
    const scaled = Math.round(Math.abs(value) * TENS[decimals]!);
    if (!(scaled <= MAX_SCALED)) this.#rare(value, decimals);
    else this.#decimal(value < 0 && scaled !== 0, scaled | 0, decimals);
  }

  /** A reading, as exact as `decimals` allow; most have two decimals or none, which costs least. */
  reading(value: number, decimals: number): void {
    const hundredths = Math.round(value * 100);
    if (hundredths / 100 === value) this.number(value, 2);
    else this.number(value, decimals);
  }

  /** Numbers past 32 bits when scaled, and those that are none. */
  #rare(value: number, decimals: number): void {
    const factor = TENS[decimals]!;
    const rounded = Math.round(value * factor) / factor;
    this.text(Number.isFinite(value) ? String(Number.isFinite(rounded) ? rounded : value) : 'null');
  }

  /** `scaled` / 10^`places`, digit by digit from the last. Whole-number arithmetic: divisions become multiplications. */
  #decimal(negative: boolean, scaled: number, places: number): void {
    this.#reserve(24);
    const digits = this.#digits;
    let left = scaled;
    let point = places;
    let count = 0;
    while (left > 0 || count <= point) {
      const tens = (left / 10) | 0;
      const digit = left - 10 * tens;
      left = tens;
      // Zeros at the end of the decimals are left out.
      if (count === 0 && point > 0 && digit === 0) {
        point -= 1;
        continue;
      }
      digits[count] = ZERO + digit;
      count += 1;
    }
    const bytes = this.#bytes;
    let at = this.#at;
    if (negative) {
      bytes[at] = MINUS;
      at += 1;
    }
    while (count > 0) {
      if (count === point) {
        bytes[at] = DOT;
        at += 1;
      }
      count -= 1;
      bytes[at] = digits[count]!;
      at += 1;
    }
    this.#at = at;
  }

  /** A copy of what was written; the writer starts anew. */
  finish(): Uint8Array {
    const out = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(out, 0, 0, this.#at);
    this.#at = 0;
    return out;
  }
}
