import { describe, expect, it } from 'vitest';
import { bundleHash, checkBundle, sealBundle } from '../../../core/model/bundle.ts';
import { createDetector } from '../../../core/model/detector.ts';
import type { ConstantSpec } from '../../../core/model/heads/constant/spec.ts';
import { inputCount, spreadInputCount } from '../../../core/model/heads/relation/forecaster.ts';
import type { RelationSpec } from '../../../core/model/heads/relation/spec.ts';
import { encodeFloats } from '../../../core/model/numbers.ts';
import { handBundle, identityHead } from '../../support/hand-bundle.ts';
import { SMALL_CATALOGUE } from '../../support/small-fleet.ts';

/** Readings of the small catalogue with speed and coolant given. */
const row = (speedKmh: number, coolantC: number) => Float64Array.of(speedKmh, 2000, 35, coolantC, 200, 7);

describe('the detector', () => {
  it('scores as by hand: z-scores 2 and −1, both statistics √2.5, so √5 long and 2·ln(1 + √2.5) wide', () => {
    const detector = createDetector(handBundle());
    const finding = detector.step(detector.newState(), row(70, 88), 1000);
    expect(detector.statistics).toEqual(['static.norm', 'static.peak']);
    expect(finding.score).toBeCloseTo(Math.sqrt(5) + 2 * Math.log1p(Math.sqrt(2.5)), 6);
    for (const level of [...finding.raw, ...finding.levels]) expect(level).toBeCloseTo(Math.sqrt(2.5), 6);
    // The parts are 4 and 1.
    const { shares } = detector.explain();
    expect(shares[0]).toBeCloseTo(0.8, 9);
    expect(shares[3]).toBeCloseTo(0.2, 9);
    expect([...finding.expected]).toEqual([50, 2000, 35, 90, 200, 7]);
  });

  it('hears a statistic by reach alone: by the fourth power, beside all others as one', () => {
    const zeros = (n: number) => encodeFloats(new Array<number>(n).fill(0));
    const relation: RelationSpec = {
      kind: 'relation',
      name: 'relation',
      units: 1,
      unitInputs: [0, 1, 2],
      unitWeights: zeros(4),
      slow: 50,
      // Foretells 0 of everything, with a spread of 1: what is unexplained are the z-scores.
      readout: zeros(2 * 2 * inputCount(1, 2)),
      spreadReadout: zeros(3 * 2 * spreadInputCount(1, 2)),
      spreads: encodeFloats([1, 1, 1, 1, 1, 1, 0, 0]),
      fleetEvents: encodeFloats([600, 600]),
      gauges: [{ stream: 'others', span: 1, reach: encodeFloats([1, 1, 1, 1, 0, 0]) }],
    };
    const tail = { at: [0, 100], levels: [0, 100], slope: 1 };
    const bundle = handBundle({ heads: [identityHead(), relation], tails: [tail, tail, tail] });
    const detector = createDetector(bundle);
    const { score } = detector.step(detector.newState(), row(70, 88), 0);
    // Static statistics √2.5 twice: 5 together; the reach gauge 2.
    const width = 2 * Math.log1p(Math.sqrt(2.5)) + Math.log1p(2);
    expect(score).toBeCloseTo((5 ** 2 + 2 ** 4) ** (1 / 4) + width, 5);
    const { shares } = detector.explain();
    expect(shares[0]! + shares[3]!).toBeCloseTo(1, 6);
    expect(shares[0]!).toBeGreaterThan(0.8);
  });

  it('notices a signal that stood still in training, and blames it', () => {
    const still = { signals: [4, 5], values: [200, 7] };
    const watch: ConstantSpec = { kind: 'still', name: 'still', signals: 2, span: 1, slow: 1000 };
    const tail = { at: [0, 100], levels: [0, 100], slope: 1 };
    const detector = createDetector(
      handBundle({ still, heads: [identityHead(), watch], tails: [tail, tail, tail] }),
    );
    const state = detector.newState();
    const readings = row(50, 90);
    expect(detector.step(state, readings, 0).score).toBe(0);
    readings[4] = Number.NaN;
    expect(detector.step(state, readings, 1000).score).toBe(0);
    readings[5] = 8;
    // Nothing but the one signal: a level of nearly 1.
    expect(detector.step(state, readings, 2000).score).toBeCloseTo(1 + Math.LN2, 1);
    expect([...detector.explain().shares].map((share) => Number(share.toFixed(9)))).toEqual([
      0, 0, 0, 0, 0, 1,
    ]);
    detector.step(state, readings, 2000);
    expect(detector.explain().expected[5]).toBe(7);
  });

  it('gives one that moves a voice of its own where the model has one for it', () => {
    const still = { signals: [5], values: [7] };
    const watch: ConstantSpec = { kind: 'still', name: 'still', signals: 1, span: 1, slow: 1000 };
    const tail = { at: [0, 1], levels: [0, 0.01], slope: 0.01 };
    const bundle = handBundle({
      ...{ still, heads: [identityHead(), watch], tails: [tail, tail, tail], threshold: 1.5 },
      voices: { limits: [null, null, 0.5], strangeness: 1.5 },
    });
    const detector = createDetector(bundle);
    const state = detector.newState();
    const readings = row(50, 90);
    expect(detector.step(state, readings, 0).score).toBe(0);
    readings[5] = 8;
    expect(detector.step(state, readings, 1000).score).toBeGreaterThan(1.5 * (1 + Math.log(1.9)));
    expect(detector.explain().shares[5]).toBeCloseTo(1, 6);
  });

  it('refuses a head for other signals that stood still than there are, or for those of a variant', () => {
    const watch: ConstantSpec = { kind: 'still', name: 'still', signals: 2, span: 1, slow: 1000 };
    const tail = { at: [0, 100], levels: [0, 100], slope: 1 };
    const still = { signals: [5], values: [7] };
    const parts = { still, tails: [tail, tail, tail] };
    expect(() => createDetector(handBundle({ ...parts, heads: [identityHead(), watch] }))).toThrow(
      /head still is for 2 signals that stood still, there are 1/,
    );
    const within = { kind: 'variant', name: 'v', channels: [0], others: [[1]], head: watch };
    expect(() => createDetector(handBundle({ ...parts, heads: [identityHead(), within] }))).toThrow(
      /head v: a head for all cars is within that of a variant/,
    );
  });

  it('refuses signals that stood still and are channels, or are not in the catalogue', () => {
    for (const [signals, values] of [
      [[0], [1]],
      [[9], [1]],
      [
        [5, 4],
        [1, 1],
      ],
      [[4, 5], [1]],
    ] as const) {
      const bundle = handBundle({ still: { signals: [...signals], values: [...values] } });
      expect(() => checkBundle(bundle, 'test')).toThrow(/stood still do not fit the catalogue/);
    }
  });

  it('expects nothing that cannot be', () => {
    const signals = SMALL_CATALOGUE.signals.map((signal, i) =>
      i === 0 ? { ...signal, min: 0, max: 300 } : signal,
    );
    const catalogue = { ...SMALL_CATALOGUE, signals };
    // A network that always says −100 spreads: 50 − 100 · 10 km/h.
    const low = { outputs: 2, activation: 'linear' as const, kernel: encodeFloats([0, 0, 0, 0]) };
    const bundle = handBundle({ catalogue, network: [{ ...low, bias: encodeFloats([-100, 0]) }] });
    const detector = createDetector(bundle);
    detector.step(detector.newState(), row(50, 90), 0);
    const { expected } = detector.explain();
    expect(expected[0]).toBe(0);
    expect(expected[3]).toBe(90);
  });

  it('averages with sign: span 3 weighs the newest by a half, opposite deviations cancel', () => {
    const detector = createDetector(handBundle({ heads: [identityHead({ span: 3 })] }));
    const state = detector.newState();
    // z-scores 4, then −4: averages 2, then 2 + ½(−4 − 2) = −1; norm |·| / √2.
    expect(detector.step(state, row(90, 90), 1000).raw[0]).toBeCloseTo(2 / Math.SQRT2, 6);
    expect(detector.step(state, row(10, 90), 2000).raw[0]).toBeCloseTo(1 / Math.SQRT2, 6);
  });

  it('lets the past fade with event time, and forgets it after a pause', () => {
    const detector = createDetector(handBundle({ heads: [identityHead({ span: 3 })] }));
    const state = detector.newState();
    detector.step(state, row(90, 90), 1000);
    // Three steps later the past weighs ½³: 2 + (1 − ⅛)(0 − 2) = 0.25.
    expect(detector.step(state, row(50, 90), 4000).raw[0]).toBeCloseTo(0.25 / Math.SQRT2, 6);
    detector.step(state, row(90, 90), 5000);
    expect(detector.step(state, row(50, 90), 5000 + 60_001).raw[0]).toBe(0);
  });

  it('says nothing of missing readings', () => {
    const detector = createDetector(handBundle());
    const finding = detector.step(detector.newState(), row(Number.NaN, Number.NaN), 1000);
    expect(finding.score).toBe(0);
    expect([...detector.explain().shares].every((share) => share === 0)).toBe(true);
  });

  it('gives bit for bit the same after a restart from its bytes', () => {
    const detector = createDetector(handBundle({ heads: [identityHead({ span: 8 })] }));
    const kept = detector.newState();
    let restored = detector.newState();
    for (let i = 0; i < 50; i += 1) {
      const values = row(50 + 30 * Math.sin(i), 90 + Math.cos(i));
      const score = detector.step(kept, values, 1000 * i).score;
      expect(detector.step(restored, values, 1000 * i).score).toBe(score);
      restored = detector.decodeState(detector.encodeState(restored));
    }
    expect(() => detector.decodeState(new Uint8Array(9))).toThrow(/state of 9 bytes/);
  });

  it('foretells the next event from the one before', () => {
    // speed stays as it was, coolant goes back to its median.
    const head = identityHead({ source: 'forecast', forecast: encodeFloats([1, 0, 0, 0, 0, 0]) });
    const detector = createDetector(handBundle({ heads: [head] }));
    const state = detector.newState();
    expect(detector.step(state, row(70, 92), 1000).score).toBe(0);
    expect(detector.step(state, row(70, 92), 2000).raw[0]).toBeCloseTo(Math.sqrt(1 / 2), 6);
    expect(detector.step(state, row(80, 90), 3000).raw[0]).toBeCloseTo(Math.sqrt(1 / 2), 6);
    // After three missed steps nothing is foretold.
    expect(detector.step(state, row(10, 70), 7000).score).toBe(0);
  });
});

describe('checkBundle', () => {
  const refusal = (value: unknown) => {
    try {
      checkBundle(value, 'it', SMALL_CATALOGUE);
    } catch (error) {
      return `${(error as { code: string }).code} ${(error as Error).message}`;
    }
    return 'accepted';
  };

  it('accepts a bundle that went through JSON', () => {
    expect(refusal(JSON.parse(JSON.stringify(handBundle())))).toBe('accepted');
  });

  it.each([
    ['nothing', undefined, /MODEL_INVALID it: damaged/],
    ['text', 'bundle', /MODEL_INVALID it: damaged/],
    ['an empty object', {}, /MODEL_INVALID it: damaged/],
    [
      'a changed number',
      { ...handBundle(), threshold: 2 },
      /MODEL_INVALID it: damaged: its content does not match its hash/,
    ],
    [
      'another feature version',
      sealBundle({ ...handBundle(), featureVersion: 99 }),
      /MODEL_INVALID it: made for feature version 99; this program computes \d+. Train it again./,
    ],
    [
      'a scaler out of step',
      handBundle({ scaler: { signals: [0, 3], center: [1], scale: [1, 1], clip: 8 } }),
      /lists of different lengths/,
    ],
    [
      'an unknown signal',
      handBundle({ scaler: { signals: [0, 9], center: [1, 1], scale: [1, 1], clip: 8 } }),
      /names a signal/,
    ],
    [
      'a falling tail',
      handBundle({ tails: [{ at: [1, 0], levels: [0, 1], slope: 1 }] }),
      /a tail does not rise/,
    ],
    [
      'no way to raise',
      handBundle({ hysteresis: { window: 15, raise: 16, release: 4 } }),
      /hysteresis raise 16/,
    ],
  ])('refuses %s', (_, value, message) => {
    expect(refusal(value)).toMatch(message);
  });

  it('refuses a model for other signals', () => {
    const fewer = { ...SMALL_CATALOGUE, name: 'fewer', signals: SMALL_CATALOGUE.signals.slice(1) };
    expect(() => checkBundle(handBundle(), 'it', fewer)).toThrow(
      /made for the signals of catalogue "small" \(\w+\), not for "fewer"/,
    );
  });

  it('hashes the content, whatever hash it carries', () => {
    const bundle = handBundle();
    expect(bundleHash({ ...bundle, hash: 'x' } as typeof bundle)).toBe(bundle.hash);
    expect(bundle.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has parts that createDetector holds to each other', () => {
    const tail = { at: [0, 1], levels: [0, 1], slope: 1 };
    expect(() => createDetector(handBundle({ tails: [tail] }))).toThrow(/1 tails for 2 statistics/);
    expect(() => createDetector(handBundle({ heads: [{ kind: 'oracle', name: 'o' }] }))).toThrow(
      /unknown kind "oracle"/,
    );
    expect(() => createDetector(handBundle({ heads: [identityHead({ span: 0 })] }))).toThrow(/span 0/);
    expect(() =>
      createDetector(handBundle({ heads: [identityHead({ whitening: encodeFloats([1]) })] })),
    ).toThrow(/whitening has 1 numbers, not 4/);
  });
});
