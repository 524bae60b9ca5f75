// A bundle of random numbers with every kind of head in it: cars of two variants, signals that stood still, voices,
// gauges of all kinds, what losses shift. It finds nothing; it is there for two ways to compute the same to be held
// to each other.
import { catalogueHash } from '../../core/catalogue.ts';
import { type ModelBundle, sealBundle } from '../../core/model/bundle.ts';
import { FEATURE_VERSION } from '../../core/model/features.ts';
import type { GaugeSpec } from '../../core/model/gauge/gauge.ts';
import { SHIFT_DIRECTIONS } from '../../core/model/gauge/marginal.ts';
import type { ConstantSpec } from '../../core/model/heads/constant/spec.ts';
import type { HeadSpec } from '../../core/model/heads/head.ts';
import type { JumpSpec } from '../../core/model/heads/jump/spec.ts';
import { shapeOf } from '../../core/model/heads/kind.ts';
import { HEAD_KINDS } from '../../core/model/heads/kinds.ts';
import type { RangeSpec } from '../../core/model/heads/range/spec.ts';
import { FAN_IN, inputCount, spreadInputCount } from '../../core/model/heads/relation/forecaster.ts';
import type { RelationSpec } from '../../core/model/heads/relation/spec.ts';
import { INPUT_SPANS } from '../../core/model/heads/relation/state.ts';
import type { ResidualSpec } from '../../core/model/heads/residual/spec.ts';
import type { VariantSpec } from '../../core/model/heads/variant/spec.ts';
import { HYSTERESIS } from '../../core/model/hysteresis.ts';
import { encodeFloats } from '../../core/model/numbers.ts';
import { normal, type Random, seededRandom } from '../../core/model/random.ts';
import type { Tail } from '../../core/model/tail.ts';

/** Channels, and behind them signals that stood still. */
export const CHANNELS = 11;
const QUIET = 2;
/** The channels of the two variants. */
const VARIANTS = [
  [0, 1, 2, 3, 4, 5, 6, 8],
  [0, 2, 3, 4, 7, 8, 9, 10],
];

const list = (count: number, of: (i: number) => number) => Array.from({ length: count }, (_, i) => of(i));

/** Random numbers about models. */
function maker(random: Random) {
  const normals = (count: number, size: number) => list(count, () => size * normal(random));
  const between = (count: number, from: number, to: number) =>
    list(count, () => from + (to - from) * random());
  /** Symmetric and positive definite. */
  const precision = (n: number): number[] => {
    const a = normals(n * n, 0.5);
    return list(n * n, (i) => {
      const [r, c] = [Math.floor(i / n), i % n];
      let sum = r === c ? 1 : 0;
      for (let k = 0; k < n; k += 1) sum += a[r * n + k]! * a[c * n + k]!;
      return sum;
    });
  };
  const rising = (count: number, from: number, step: number): number[] => {
    let at = from;
    return list(count, () => {
      at += step * (0.2 + random());
      return at;
    });
  };
  const tail = (from = 0.1): Tail => ({
    at: rising(6, from, 0.4),
    levels: rising(6, 0.2, 0.3),
    slope: 0.5 + random(),
  });
  return { normals, between, precision, tail };
}

type Maker = ReturnType<typeof maker>;

const shiftsOf = ({ normals }: Maker, n: number) => encodeFloats(normals(SHIFT_DIRECTIONS * n * n, 0.1));

function gaugesOf(make: Maker, n: number): RelationSpec['gauges'] {
  const precision = () => ({ precision: encodeFloats(make.precision(n)), shifts: shiftsOf(make, n) });
  const tails = () => ({ tails: list(n, () => 0).map(() => make.tail()) });
  const reach = () => ({
    reach: encodeFloats([
      ...make.between(2 * n, 0.3, 1),
      ...make.between(n, 0, 0.4).map((x) => (x < 0.1 ? 0 : x)),
    ]),
    shifts: encodeFloats(make.between(n * n, 0, 0.2)),
  });
  return [
    { stream: 'others', span: 20, release: 0.5, ...precision() },
    { stream: 'own', span: 8, release: 0.5, ...precision(), ...tails() },
    { stream: 'jitter', span: 30, release: 0.2, ...precision(), ...tails() },
    { stream: 'fine', span: 12, release: 0.5, ...reach() },
    { stream: 'jitter', span: 40, ...reach() },
  ];
}

function relationOf(make: Maker, n: number, name: string, random: Random): RelationSpec {
  const units = 70;
  const places = (INPUT_SPANS.length + 1) * n;
  return {
    ...{ kind: 'relation', name, units, slow: 300 },
    unitInputs: list(units * FAN_IN, () => Math.floor(random() * places)),
    unitWeights: encodeFloats([...make.normals(units * FAN_IN, 0.8), ...make.normals(units, 0.5)]),
    readout: encodeFloats(
      make.normals(2 * n * inputCount(units, n), 0.06).map((value) => (random() < 0.3 ? 0 : value)),
    ),
    spreadReadout: encodeFloats(make.normals(3 * n * spreadInputCount(units, n), 0.06)),
    spreads: encodeFloats([...make.between(3 * n, 0.5, 1.5), ...make.between(n, 0, 0.5)]),
    fleetEvents: encodeFloats(make.between(n, 5, 600)),
    gauges: gaugesOf(make, n),
    shifts: encodeFloats(make.between(n * n, 0, 1)),
  };
}

function residualOf(make: Maker, n: number, source: ResidualSpec['source']): ResidualSpec {
  return {
    ...{ kind: 'residual', name: source, source, span: 12, share: 0.4 },
    whitening: encodeFloats(make.normals(n * n, 0.4)),
    spread: encodeFloats(make.between(n, 0.5, 1.5)),
    shifts: shiftsOf(make, n),
    ...(source === 'forecast' ? { forecast: encodeFloats(make.normals(n * (n + 1), 0.2)) } : {}),
  };
}

function headsOf(make: Maker, random: Random): HeadSpec[] {
  const range: RangeSpec = {
    ...{ kind: 'range', name: 'range', span: 4 },
    high: list(CHANNELS, () => 0).map(() => make.tail()),
    low: list(CHANNELS, () => 0).map(() => make.tail(-0.5)),
  };
  const gauge: GaugeSpec = {
    span: 60,
    precision: encodeFloats(make.precision(CHANNELS)),
    tails: list(CHANNELS, () => 0).map(() => make.tail()),
  };
  const shock: JumpSpec = { kind: 'shock', name: 'shock', seldom: make.between(CHANNELS, 0.2, 0.8), gauge };
  const still: ConstantSpec = { kind: 'still', name: 'still', signals: QUIET, span: 4, slow: 50 };
  const variants = VARIANTS.flatMap((channels, v): VariantSpec[] => {
    const others = VARIANTS.filter((_, i) => i !== v);
    const inner = [
      relationOf(make, channels.length, 'relation', random),
      residualOf(make, channels.length, 'autoencoder'),
    ];
    return inner.map((head) => ({ kind: 'variant', name: `${head.name}-${v}`, channels, others, head }));
  });
  const all = [
    residualOf(make, CHANNELS, 'forecast'),
    residualOf(make, CHANNELS, 'static'),
    range,
    shock,
    still,
  ];
  return [...variants, ...all];
}

const signalsOf = (count: number) =>
  list(count, (i) => i).map((i) => ({
    ...{ name: `signal${i}`, unit: '', min: -1000, max: 1000, vss: `Vehicle.Signal${i}`, note: '' },
  }));

/** @param catalogue one of the project's, for its form: its signals are replaced */
export function randomBundle(seed: number, catalogue: ModelBundle['catalogue']): ModelBundle {
  const random = seededRandom(seed, 'bundle');
  const make = maker(random);
  const own = { ...catalogue, signals: signalsOf(CHANNELS + QUIET) } as ModelBundle['catalogue'];
  const heads = headsOf(make, random);
  const statistics = heads.flatMap((head) => shapeOf(head, CHANNELS, HEAD_KINDS).statistics);
  const layer = (inputs: number, outputs: number, activation: 'tanh' | 'linear') => ({
    ...{ outputs, activation },
    kernel: encodeFloats(make.normals(inputs * outputs, 0.4)),
    bias: encodeFloats(make.normals(outputs, 0.1)),
  });
  return sealBundle({
    ...{ format: 1, featureVersion: FEATURE_VERSION, catalogue: own, catalogueHash: catalogueHash(own) },
    scaler: {
      signals: list(CHANNELS, (k) => k),
      center: make.normals(CHANNELS, 20),
      scale: make.between(CHANNELS, 0.5, 3),
      clip: 8,
    },
    still: { signals: list(QUIET, (i) => CHANNELS + i), values: list(QUIET, (i) => 7 + i) },
    losses: {
      gaps: list(CHANNELS + QUIET, () => 3),
      lowest: list(CHANNELS, () => -4),
      highest: list(CHANNELS, () => 4),
      kinds: VARIANTS.map((channels) => ({
        channels,
        precision: encodeFloats(make.precision(channels.length)),
      })),
    },
    medians: list(CHANNELS + QUIET, () => 1),
    network: [layer(CHANNELS, 9, 'tanh'), layer(9, 4, 'linear'), layer(4, CHANNELS, 'linear')],
    heads,
    tails: statistics.map(() => make.tail()),
    voices: {
      limits: statistics.map((name) => (name.endsWith('single') ? 2 + random() : null)),
      strangeness: 12,
    },
    usual: { typical: 8, most: 20 },
    threshold: 20,
    hysteresis: { ...HYSTERESIS },
    ...{ stepMs: 1000, gapMs: 60_000, latenessMs: 30_000 },
    card: { seed, backend: 'none', rows: 1, cars: 1, hours: 1, train: {} },
  });
}

/**
 * Readings of cars of both variants that run through everything: gaps, losses and returns, pauses, constant signals
 * that change.
 */
export function randomEvents(seed: number, bundle: ModelBundle, cars: number) {
  const random = seededRandom(seed, 'events');
  const width = bundle.catalogue.signals.length;
  const { center, scale } = bundle.scaler;
  const mix = list(width * 3, (i) => Math.sin(1 + i * 1.7));
  const all = list(cars, (i) => i).map((i) => ({
    channels: VARIANTS[i % 2]!,
    hidden: [0, 0, 0],
    lost: new Set<number>(),
    tsMs: 1.7e12,
  }));
  /** The next event of each car. */
  return () =>
    all.map((car) => {
      const { channels, hidden, lost } = car;
      for (let h = 0; h < 3; h += 1) hidden[h] = 0.95 * hidden[h]! + 0.3 * normal(random);
      if (random() < 0.02) lost.add(channels[Math.floor(random() * channels.length)]!);
      if (random() < 0.02) lost.clear();
      const values = new Float64Array(width).fill(Number.NaN);
      for (const k of channels) {
        if (lost.has(k) || random() < 0.01) continue;
        let z = 0.2 * normal(random) + (random() < 0.01 ? 3 : 0);
        for (let h = 0; h < 3; h += 1) z += mix[3 * k + h]! * hidden[h]!;
        values[k] = Math.round(100 * (center[k]! + scale[k]! * z)) / 100;
      }
      for (let i = 0; i < QUIET; i += 1)
        values[CHANNELS + i] = random() < 0.05 ? Number.NaN : random() < 0.02 ? 1 : 7 + i;
      const pause = random();
      car.tsMs += pause < 0.005 ? 200_000 : pause < 0.06 ? 1000 * Math.floor(8 * random()) : 1000;
      return { values, tsMs: car.tsMs, at: 0 };
    });
}
