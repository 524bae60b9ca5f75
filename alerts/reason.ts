// Why an alert was raised, in words a driver understands: which signals, what they read, what was expected.
import type { Catalogue, SignalSpec } from '../core/catalogue.ts';
import type { SignalShare } from '../core/events.ts';

/** Signals named in a reason at most. */
const MAX_NAMED = 3;
/** A signal with less than this part of the score is not worth a word. */
const MIN_SHARE = 0.12;
/** Signals kept with an alert. */
const MAX_KEPT = 6;

interface Sum {
  share: number;
  value: number;
  values: number;
  expected: number;
  expectations: number;
}

/**
 * What several strange events blame together: shares, readings and expectations averaged over them, largest share first. One
 * event's blame is noise; a window's is what a mechanic would look at.
 * @param blamed `top` of each strange event of the window
 */
export function blameOf(blamed: readonly (readonly SignalShare[])[]): SignalShare[] {
  const sums = new Map<string, Sum>();
  for (const top of blamed) {
    for (const { signal, value, expected, share } of top) {
      const sum = sums.get(signal) ?? { share: 0, value: 0, values: 0, expected: 0, expectations: 0 };
      sum.share += share;
      if (value !== null) {
        sum.value += value;
        sum.values += 1;
      }
      if (expected !== null) {
        sum.expected += expected;
        sum.expectations += 1;
      }
      sums.set(signal, sum);
    }
  }
  return [...sums]
    .map(([signal, sum]) => ({
      signal,
      value: sum.values > 0 ? sum.value / sum.values : null,
      expected: sum.expectations > 0 ? sum.expected / sum.expectations : null,
      share: sum.share / blamed.length,
    }))
    .sort((a, b) => b.share - a.share || (a.signal < b.signal ? -1 : 1))
    .slice(0, MAX_KEPT);
}

function digitsFor(...values: readonly number[]): number {
  const size = Math.max(...values.map(Math.abs));
  return size >= 100 ? 0 : size >= 10 ? 1 : 2;
}

const NOT_MEASURED = 'is not measured';
const OUT_OF_STEP = 'out of step with the other readings';
const isHidden = (word: string) => word.endsWith(OUT_OF_STEP);

/** One signal in words: `coolant temperature too high: 118 °C, expected about 92 °C`. */
function describeShare({ signal, value, expected }: SignalShare, spec: SignalSpec | undefined): string {
  const name = spec?.label ?? signal;
  const unit = spec === undefined || spec.unit === '' ? '' : ` ${spec.unit}`;
  const say = (x: number, digits: number) => `${x.toFixed(digits).replace(/^-(0(\.0+)?)$/, '$1')}${unit}`;
  if (value === null) return `${name} ${NOT_MEASURED}`;
  if (expected === null) return `${name} unusual: ${say(value, digitsFor(value))}`;
  const digits = digitsFor(value, expected);
  const seen = say(value, digits);
  const usual = say(expected, digits);
  if (seen === usual) return `${name} unusual: ${seen}, ${OUT_OF_STEP}`;
  return `${name} too ${value > expected ? 'high' : 'low'}: ${seen}, expected about ${usual}`;
}

/** Lost signals told by name. */
const MOST_LOST = 3;

/** What is not measured, in words: the alert was raised without it. */
function describeLost(lost: readonly string[], specs: ReadonlyMap<string, SignalSpec>): string[] {
  const named = lost
    .slice(0, MOST_LOST)
    .map((signal) => `${specs.get(signal)?.label ?? signal} ${NOT_MEASURED}`);
  const more = lost.length - named.length;
  return more > 0
    ? [...named, `nor ${more === 1 ? 'is 1 other signal' : `are ${more} other signals`}`]
    : named;
}

/** @param lost signals that the car should measure and does not */
export type Describe = (top: readonly SignalShare[], lost?: readonly string[]) => string;

/** Reasons in the words of a catalogue. */
export function reasonsOf(catalogue: Catalogue): Describe {
  const specs = new Map(catalogue.signals.map((spec) => [spec.name, spec]));
  return (top, lost = []) => {
    // What a signal read before it was lost is not the reason any more.
    const left = top.filter(({ signal }) => !lost.includes(signal));
    const missing = describeLost(lost, specs);
    const named = left.filter(({ share }, i) => i === 0 || (i < MAX_NAMED && share >= MIN_SHARE));
    if (named.length === 0) return ['the readings do not fit together', ...missing].join('; ');
    const words = named.map((share) => describeShare(share, specs.get(share.signal)));
    // What can be seen comes first: a difference below the last digit is for mechanics.
    return [...words.filter((word) => !isHidden(word)), ...words.filter(isHidden), ...missing].join('; ');
  };
}
