// Leading a detector through many series: as many at a time as it follows in one wave.
import type { Detector, Finding } from '../../core/model/detector.ts';
import { type CarEvent, MOST_IN_WAVE } from '../../core/model/wave.ts';
import type { Series } from '../data/series.ts';

/** Rows of a series, `from` up to but not including `to`, that a car is followed through from its beginning. */
export interface Stretch {
  readonly series: Series;
  readonly from: number;
  readonly to: number;
}

const NOTHING = new Float32Array(0);

type Moving<T> = { -readonly [K in keyof T]: T[K] };

/** A car under way: which one, in which of its stretches, at which row. */
interface Place {
  readonly car: number;
  part: number;
  row: number;
  readonly event: Moving<CarEvent>;
}

/**
 * Follows cars, each through its stretches, one after the other. `found` is told of each row, the rows of a car in
 * order; the finding is overwritten by the next.
 */
export function followCars(
  detector: Detector,
  cars: readonly (readonly Stretch[])[],
  found: (finding: Finding, car: number, part: number, row: number) => void,
): void {
  const width = detector.bundle.catalogue.signals.length;
  const places: Place[] = [];
  const events: CarEvent[] = [];
  /** The next row that there is from this place on; false: none is left. */
  const settle = (place: Place): boolean => {
    const parts = cars[place.car]!;
    while (place.part < parts.length && place.row >= parts[place.part]!.to) {
      place.part += 1;
      place.row = parts[place.part]?.from ?? 0;
    }
    return place.part < parts.length;
  };
  let next = 0;
  const fill = (): void => {
    for (; places.length < MOST_IN_WAVE && next < cars.length; next += 1) {
      const event = { state: detector.newState(), values: NOTHING, at: 0, tsMs: 0 };
      const place = { car: next, part: 0, row: cars[next]![0]?.from ?? 0, event };
      if (!settle(place)) continue;
      places.push(place);
      events.push(event);
    }
  };
  const tell = (finding: Finding, i: number): void => {
    const { car, part, row } = places[i]!;
    found(finding, car, part, row);
  };
  for (fill(); places.length > 0; fill()) {
    for (const { car, part, row, event } of places) {
      const { tsMs, values } = cars[car]![part]!.series;
      event.values = values;
      event.at = row * width;
      event.tsMs = tsMs[row]!;
    }
    detector.wave(events, events.length, tell);
    for (let i = places.length - 1; i >= 0; i -= 1) {
      places[i]!.row += 1;
      if (settle(places[i]!)) continue;
      // The last one takes the place of one that is through.
      const [place, event] = [places.pop()!, events.pop()!];
      if (i === places.length) continue;
      places[i] = place;
      events[i] = event;
    }
  }
}

/** As followCars, of cars of one stretch each. */
export function followStretches(
  detector: Detector,
  stretches: readonly Stretch[],
  found: (finding: Finding, stretch: number, row: number) => void,
): void {
  followCars(
    detector,
    stretches.map((one) => [one]),
    (finding, car, _part, row) => found(finding, car, row),
  );
}

export const whole = (series: Series): Stretch => ({ series, from: 0, to: series.tsMs.length });
