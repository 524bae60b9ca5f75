// Fusion: the raw statistics of all heads become levels, the levels one strangeness, and that is shared out among
// those who made it. THE formula: running (detector.ts) and calibrating (training/calibrate/held-out.ts) use this one.
// What is usual for a car is taken off later (car-baseline.ts). Why it is as it is: docs/design/0005.
import { TelltaleError } from '../errors.ts';
import type { BundleContent } from './bundle.ts';
import type { HeadShape } from './heads/head.ts';
import { alarmPart, type LimitAlarms, loudness, withAlarm } from './limit-alarm.ts';
import { type Tail, tailLevel } from './tail.ts';

/** What is known of each statistic, in order. */
export interface FusionPlan {
  readonly tails: readonly Tail[];
  /** Weight of its level, > 0. */
  readonly shares: Float64Array;
  /** 1: heard alone. */
  readonly alone: Uint8Array;
  readonly voices?: LimitAlarms | undefined;
}

export interface Fusion {
  /** Level of each statistic; overwritten by each call. */
  readonly levels: Float64Array;
  /** How strange raw statistics are together, finite, ≥ 0. */
  strangenessOf(raw: Float64Array): number;
  /** The length of the vector of their levels; for calibration. */
  lengthOf(raw: Float64Array): number;
  /** The part of statistic `at` in the last strangeness, ≥ 0. */
  partOf(at: number): number;
}

/** Weight of the length of the vector of levels beside the sum of their logarithms. */
const LENGTH_WEIGHT = 1;

/** A product of levels that may be multiplied by one more and stay a number. */
const GREATEST_PRODUCT = 1e150;

/**
 * The plan of a bundle whose heads are these. @throws TelltaleError MODEL_INVALID when its parts do not fit each
 * other
 */
export function planFusion(
  { heads: specs, tails, voices }: Pick<BundleContent, 'heads' | 'tails' | 'voices'>,
  heads: readonly HeadShape[],
): FusionPlan {
  const each = <T>(of: (head: HeadShape, h: number) => readonly T[]) => heads.flatMap(of);
  const shares = each(({ statistics }, h) => statistics.map(() => specs[h]!.share ?? 1));
  const count = shares.length;
  if (tails.length !== count)
    throw new TelltaleError('MODEL_INVALID', `damaged: ${tails.length} tails for ${count} statistics`);
  if (voices && voices.limits.length !== count)
    throw new TelltaleError(
      'MODEL_INVALID',
      `damaged: limits of ${voices.limits.length} voices for ${count} statistics`,
    );
  const alone = each(({ statistics, alone }) => alone ?? statistics.map(() => 0));
  return { tails, shares: Float64Array.from(shares), alone: Uint8Array.from(alone), voices };
}

/** Makes the formula ready to run; nothing is allocated by its calls. */
export function createFusion({ tails, shares, alone, voices }: FusionPlan): Fusion {
  const count = tails.length;
  const levels = new Float64Array(count);
  const voiced = (voices?.limits ?? []).flatMap((limit, at) => (limit === null ? [] : [{ at, limit }]));
  let length = 0;
  let together = 0;
  let sum = 0;
  let loudest = 0;
  let voice = 0;
  /** The voice's part, when somebody has asked for it. */
  let heard = Number.NaN;

  // The length of the vector of levels: one very strange statistic counts nearly alone, several strange ones support
  // each other. To it, as one, come those heard alone, by fourth powers: none is diluted by the others, and quiet
  // ones add nothing.
  const lengthOf: Fusion['lengthOf'] = (raw) => {
    let fourth = 0;
    together = 0;
    for (let i = 0; i < count; i += 1) {
      const level = shares[i]! * tailLevel(tails[i]!, raw[i]!);
      levels[i] = level;
      const square = level * level;
      if (alone[i] === 1) fourth += square * square;
      else together += square;
    }
    return Math.sqrt(Math.sqrt(together * together + fourth));
  };

  // The loudest voice of those that are heard alone.
  const listen = (raw: Float64Array): void => {
    let most = 0;
    for (const { at, limit } of voiced) {
      const ratio = raw[at]! / limit;
      if (ratio <= most) continue;
      most = ratio;
      loudest = at;
    }
    voice = voices ? voices.strangeness * loudness(most) : 0;
  };

  return {
    levels,
    lengthOf,
    // Rows are ranked by how many statistics find them strange, so levels are added by their logarithms: far beyond
    // the usual it does not matter how far. The length lets one very strange statistic speak all the same. A share
    // weighs both, and so the whole.
    strangenessOf: (raw) => {
      length = lengthOf(raw);
      heard = Number.NaN;
      listen(raw);
      sum = LENGTH_WEIGHT * length;
      // Logarithms of one share are added as that of a product: one for many.
      let product = 1;
      for (let i = 0; i < count; i += 1) {
        product *= 1 + levels[i]! / shares[i]!;
        if (i + 1 < count && shares[i + 1] === shares[i] && product < GREATEST_PRODUCT) continue;
        sum += shares[i]! * Math.log(product);
        product = 1;
      }
      return withAlarm(sum, voice);
    },
    partOf: (at) => {
      if (Number.isNaN(heard)) heard = alarmPart(sum, voice);
      const square = levels[at]! * levels[at]!;
      const part = alone[at] === 1 ? square : together;
      const whole = length * length * (length * length);
      const weight = square > 0 && whole > 0 ? ((1 - heard) * square * part) / whole : 0;
      return at === loudest ? weight + heard : weight;
    },
  };
}
