// The kernel computes what the plain reference does, within 1e-5, whatever cars send; and a car's scores are the same
// bits in whatever company they are computed.
import { beforeAll, describe, expect, it } from 'vitest';
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../../../../core/catalogue.ts';
import type { ModelBundle } from '../../../../core/model/bundle.ts';
import { createDetector, type Finding } from '../../../../core/model/detector.ts';
import { createReference } from '../../../../core/model/reference.ts';
import { MOST_IN_WAVE } from '../../../../core/model/wave.ts';
import { randomBundle, randomEvents } from '../../../support/random-bundle.ts';

const CLOSE = 1e-5;

let catalogue: ModelBundle['catalogue'];
beforeAll(async () => {
  catalogue = await loadCatalogue(CAR_CATALOGUE_FILE);
});

const copyOf = ({ score, raw, levels, lost, expected, shares }: Finding) => ({
  ...{ score, raw: raw.slice(), levels: levels.slice(), lost: [...lost] },
  ...{ expected: expected.slice(), shares: shares.slice() },
});
type Copy = ReturnType<typeof copyOf>;

/**
 * The greatest difference, as a share of the greater of 1 and the value; infinite where one is no number and the
 * other is.
 */
function difference(found: ArrayLike<number>, right: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < right.length; i += 1) {
    const [a, b] = [found[i]!, right[i]!];
    if (Number.isNaN(a) && Number.isNaN(b)) continue;
    const off = Math.abs(a - b) / Math.max(1, Math.abs(b));
    most = Math.max(most, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off);
  }
  return most;
}

/** A detector and its cars, fed event by event. */
function follow(bundle: ModelBundle, cars: number) {
  const detector = createDetector(bundle);
  const states = Array.from({ length: cars }, () => detector.newState());
  const found: Copy[] = [];
  return {
    states,
    found,
    feed: (
      events: readonly ReturnType<ReturnType<typeof randomEvents>>[number][],
      places: readonly number[],
    ) => {
      const wave = places.map((place) => ({ ...events[place]!, state: states[place]! }));
      detector.wave(wave, wave.length, (_finding, i) => {
        found[places[i]!] = copyOf(detector.explain());
      });
      return found;
    },
  };
}

describe('waves', () => {
  it.each([1, 2, 3])(
    'are computed as the reference does: gaps, losses, pauses, two variants (seed %i)',
    (seed) => {
      const bundle = randomBundle(seed, catalogue);
      const cars = 9;
      const { states, feed } = follow(bundle, cars);
      const reference = createReference(bundle);
      const right = states.map(() => reference.newState());
      const next = randomEvents(seed, bundle, cars);
      const everyone = states.map((_, car) => car);
      const seen = { losses: 0, scores: 0 };
      for (let i = 0; i < 250; i += 1) {
        const events = next();
        const found = feed(events, everyone);
        for (const car of everyone) {
          const { values, tsMs } = events[car]!;
          reference.step(right[car]!, values, tsMs);
          const { score, raw, levels, expected, shares, lost } = reference.explain();
          const where = `event ${i} of car ${car}`;
          const one = found[car]!;
          expect(one.lost, where).toEqual(lost);
          expect(difference(one.raw, raw), `statistics, ${where}`).toBeLessThan(CLOSE);
          expect(difference(one.levels, levels), `levels, ${where}`).toBeLessThan(CLOSE);
          expect(difference([one.score], [score]), `score, ${where}`).toBeLessThan(CLOSE);
          expect(difference(one.expected, expected), `expected, ${where}`).toBeLessThan(CLOSE);
          expect(difference(one.shares, shares), `shares, ${where}`).toBeLessThan(CLOSE);
          expect(difference(states[car]!.slots, right[car]!.slots), `state, ${where}`).toBeLessThan(CLOSE);
          if (lost.length > 0) seen.losses += 1;
          if (score > 0) seen.scores += 1;
        }
      }
      // It was about something.
      expect(seen.losses).toBeGreaterThan(100);
      expect(seen.scores).toBeGreaterThan(1000);
    },
    60_000,
  );

  it('give a car the same bits alone, among four, and among many', () => {
    const bundle = randomBundle(4, catalogue);
    const cars = MOST_IN_WAVE;
    const [alone, some, all] = [follow(bundle, cars), follow(bundle, cars), follow(bundle, cars)];
    const next = randomEvents(4, bundle, cars);
    const everyone = all.states.map((_, car) => car);
    for (let i = 0; i < 60; i += 1) {
      const events = next();
      for (const car of everyone) alone.feed(events, [car]);
      for (let car = 0; car < cars; car += 4) some.feed(events, everyone.slice(car, car + 4).reverse());
      all.feed(events, everyone);
    }
    for (const car of everyone) {
      const { slots } = alone.states[car]!;
      expect(some.states[car]!.slots).toEqual(slots);
      expect(all.states[car]!.slots).toEqual(slots);
    }
    expect(some.found).toEqual(alone.found);
    expect(all.found).toEqual(alone.found);
  }, 60_000);
});
