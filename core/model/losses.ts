// Which channels of a car are lost: not measured for longer than is usual for the channel, or never since the car
// began. A lost channel says nothing, and neither does what is foretold from it: its feature stands where the channels
// that are left make it most likely (the mean of a normal distribution, given them), and heads are told how wide that
// guess is, for as long as it lasts and until what they remember of it has faded. One notion for all heads; a car that
// measures everything pays for a few comparisons.
import { TelltaleError } from '../errors.ts';
import { fitOf, marksOf } from './car-kind.ts';
import { decodeFloats, type Floats } from './numbers.ts';
import { invertSmall } from './small-matrix.ts';

/** What a bundle knows of losses. */
export interface LossSpec {
  /** One a signal of the catalogue: events in a row without a reading that are usual; with more it is lost. */
  readonly gaps: readonly number[];
  /** The features of nearly all readings of the history lie between these; one a channel. A guess does, too. */
  readonly lowest: readonly number[];
  readonly highest: readonly number[];
  /** The kinds of cars by the channels they measure, rising; base64 floats, own × own: inverse covariance of their features. */
  readonly kinds: readonly { readonly channels: readonly number[]; readonly precision: string }[];
}

/** A pattern of losses. The same object for the same pattern, so that what is compiled for it can be kept beside it. */
export interface Losses {
  /** 1 for a channel that is lost now. */
  readonly lost: Uint8Array;
  /** Events since a channel came back, roughly: 1 in the first only; 0 while it is lost. Counts where `width` is not 0. */
  readonly since: Float64Array;
  /** How wide a lost channel's guess is, over its width when that channel alone is lost, ≥ 1; 0: neither lost nor lately so. */
  readonly width: Float64Array;
  /** All channels that the car's kind measures are lost. */
  readonly all: boolean;
}

/** Events after its return at which a channel's loss is told apart; after the last it is forgotten. */
const RETURNED = [0, 2, 4, 8, 16, 32, 64, 128, 256, 512] as const;

const FORGOTTEN = 1024;

/** Patterns kept; of more, the one needed longest ago is made anew when it comes again. */
const MOST_PATTERNS = 200;

/** A guess is taken to be no wider than so many times that of its channel alone. */
const WIDEST = 10;

const MOST_MISSED = 1e6;

const LOST = 1;

/** Guesses lost channels of one kind of car. */
interface Guess {
  readonly losses: Losses;
  /** Channels to guess, and for each the weights of all channels of the kind. */
  readonly into: readonly number[];
  readonly weights: readonly Float64Array[];
}

interface Kind {
  readonly channels: readonly number[];
  readonly precision: Floats;
}

/** The guess for channels `wanted` (places within the kind) of a precision n × n: weights of all n, and the guess's variances. */
export function guessOf(
  precision: ArrayLike<number>,
  n: number,
  wanted: readonly number[],
): { readonly weights: Float64Array[]; readonly variances: Float64Array } {
  const m = wanted.length;
  const among = Float64Array.from(
    { length: m * m },
    (_, i) => precision[wanted[Math.floor(i / m)]! * n + wanted[i % m]!]!,
  );
  const covariance = invertSmall(among, m);
  const weights = wanted.map((_, a) => {
    const row = new Float64Array(n);
    for (let b = 0; b < m; b += 1)
      for (let k = 0; k < n; k += 1) row[k]! -= covariance[a * m + b]! * precision[wanted[b]! * n + k]!;
    for (const k of wanted) row[k] = 0;
    return row;
  });
  return { weights, variances: Float64Array.from(wanted, (_, a) => covariance[a * m + a]!) };
}

const codeOf = (sinceReturn: number): number => {
  let bin = RETURNED.length - 1;
  while (bin > 0 && sinceReturn < RETURNED[bin]!) bin -= 1;
  return 2 + bin;
};

function compileGuess(kind: Kind, codes: Uint8Array): Guess {
  const n = kind.channels.length;
  const channels = codes.length;
  const touched = kind.channels.flatMap((channel, i) => (codes[channel] === 0 ? [] : [i]));
  const lostHere = touched.filter((i) => codes[kind.channels[i]!] === LOST);
  const losses = {
    lost: new Uint8Array(channels),
    since: new Float64Array(channels),
    width: new Float64Array(channels),
    all: lostHere.length === n,
  };
  const { variances } = guessOf(kind.precision, n, touched);
  for (const [a, i] of touched.entries()) {
    const channel = kind.channels[i]!;
    const code = codes[channel]!;
    losses.lost[channel] = code === LOST ? 1 : 0;
    losses.since[channel] = code === LOST ? 0 : Math.max(1, RETURNED[code - 2]!);
    const wide = Math.sqrt(Math.max(0, variances[a]! * kind.precision[i * n + i]!));
    losses.width[channel] = Math.min(WIDEST, Math.max(1, wide));
  }
  return { losses, into: lostHere, weights: guessOf(kind.precision, n, lostHere).weights };
}

export interface LossFollower {
  /** 32-bit floats of state; all zero for a car never seen. */
  readonly stateSize: number;
  /** Follows one event, null when nothing is lost or lately was; `restart` as heads are told. */
  follow(present: Uint8Array, restart: boolean, state: Float32Array, at: number): Losses | null;
  /** Sets the features of the channels lost in the last event followed. */
  guess(features: Floats): void;
  /** Whether channel k, or behind the channels the k-th signal of the rest, is lost in this state. */
  isLost(k: number, state: Float32Array, at: number): boolean;
  /** Channels that a car of the kind last followed measures. */
  channelsOfKind(): readonly number[];
}

/**
 * @param tracked places in the catalogue of the channels, and behind them of other signals that are followed
 * @throws TelltaleError MODEL_INVALID
 */
export function createLossFollower(spec: LossSpec, tracked: readonly number[]): LossFollower {
  const { lowest, highest } = spec;
  const channels = lowest.length;
  const kinds = spec.kinds.map(({ channels: own, precision }, i): Kind => {
    if (own.some((channel, j) => !(channel > (own[j - 1] ?? -1) && channel < channels)))
      throw new TelltaleError('MODEL_INVALID', `damaged: the channels of kind ${i} of cars do not fit`);
    return { channels: own, precision: decodeFloats(precision, own.length ** 2, `kind ${i} of cars`) };
  });
  const marks = marksOf(
    kinds.map((kind) => kind.channels),
    channels,
  );
  const gaps = Float64Array.from(tracked, (signal) => spec.gaps[signal] ?? Number.NaN);
  if (kinds.length === 0 || !gaps.every((gap) => gap >= 0))
    throw new TelltaleError('MODEL_INVALID', 'damaged: what it knows of lost signals does not fit');
  const codes = new Uint8Array(channels);
  const cache = new Map<string, Guess>();
  const none = new Uint8Array(channels);
  let last: { readonly key: string; readonly codes: Uint8Array; readonly kind: number; guess: Guess } | null =
    null;
  let now: Guess | null = null;
  let kind = 0;

  const lookUp = (): Guess => {
    if (last && last.kind === kind && last.codes.every((code, k) => code === codes[k])) return last.guess;
    const key = `${kind}:${codes.join('')}`;
    let guess = cache.get(key);
    if (guess) cache.delete(key);
    else guess = compileGuess(kinds[kind]!, codes);
    cache.set(key, guess);
    if (cache.size > MOST_PATTERNS) cache.delete(cache.keys().next().value!);
    last = { key, codes: codes.slice(), kind, guess };
    return guess;
  };

  /** The kind that fits best; of several the one the car had, and of a car that begins the one that lacks nothing. */
  const kindOf = (present: Uint8Array, before: number): number => {
    if (kinds.length === 1) return 0;
    let best = Math.max(0, before);
    let most = before < 0 ? Number.NEGATIVE_INFINITY : fitOf(marks[before]!, present);
    for (let i = 0; i < kinds.length; i += 1) {
      const fit = fitOf(marks[i]!, present);
      const lacksLess =
        before < 0 && fit === most && kinds[i]!.channels.length < kinds[best]!.channels.length;
      if (fit <= most && !lacksLess) continue;
      most = fit;
      best = i;
    }
    return best;
  };

  /** A state says of each signal: 0 measured, n > 0 missed so often in a row, −n: back for n events after a loss. */
  const advance = (here: boolean, restart: boolean, count: number, gap: number): number => {
    if (here) {
      if (restart) return 0;
      if (count > gap) return -1;
      return count < 0 && count > -FORGOTTEN ? count - 1 : 0;
    }
    // What is not there when a car begins is lost until it comes.
    if (restart) return gap + 1;
    return Math.min(MOST_MISSED, count < 0 ? gap + 1 : count + 1);
  };

  return {
    stateSize: 1 + tracked.length,
    follow: (present, restart, state, at) => {
      kind = kindOf(present, state[at]! - 1);
      state[at] = kind + 1;
      let any = false;
      for (let k = 0; k < tracked.length; k += 1) {
        const place = at + 1 + k;
        const count = state[place]!;
        if (present[k] === 1 && count === 0 && !restart) continue;
        const next = advance(present[k] === 1, restart, count, gaps[k]!);
        state[place] = next;
        if (next !== 0) any = true;
      }
      now = null;
      if (!any) return null;
      codes.set(none);
      any = false;
      for (const k of kinds[kind]!.channels) {
        const count = state[at + 1 + k]!;
        codes[k] = count < 0 ? codeOf(-count) : count > gaps[k]! ? LOST : 0;
        if (codes[k] !== 0) any = true;
      }
      if (!any) return null;
      now = lookUp();
      return now.losses;
    },
    guess: (features) => {
      if (now === null) return;
      const own = kinds[kind]!.channels;
      for (let a = 0; a < now.into.length; a += 1) {
        const weights = now.weights[a]!;
        let sum = 0;
        for (let i = 0; i < own.length; i += 1) sum += weights[i]! * features[own[i]!]!;
        const channel = own[now.into[a]!]!;
        features[channel] = Math.min(highest[channel]!, Math.max(lowest[channel]!, sum));
      }
    },
    isLost: (k, state, at) => state[at + 1 + k]! > gaps[k]!,
    channelsOfKind: () => kinds[kind]!.channels,
  };
}

/** A pattern of losses among the channels listed. */
export const lossesAmong = ({ lost, since, width, all }: Losses, list: readonly number[]): Losses => ({
  lost: Uint8Array.from(list, (k) => lost[k]!),
  since: Float64Array.from(list, (k) => since[k]!),
  width: Float64Array.from(list, (k) => width[k]!),
  all,
});
