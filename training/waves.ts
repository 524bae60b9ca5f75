// Leading a detector through many series: as many at a time as it follows in one wave.
import { type CarEvent, type Detector, type Finding, MOST_IN_WAVE } from '../core/model/detector.ts';
import type { Series } from './series.ts';

/** Rows of a series, `from` up to but not including `to`, that a car is followed through from its beginning. */
export interface Stretch {
  readonly series: Series;
  readonly from: number;
  readonly to: number;
}

type Moving<T> = { -readonly [K in keyof T]: T[K] };

/** A stretch under way. */
interface Place {
  readonly stretch: number;
  row: number;
  readonly to: number;
  readonly tsMs: Float64Array;
  readonly event: Moving<CarEvent>;
}

/**
 * Follows each stretch, the state starting anew. `found` is told of each row, the rows of a stretch in order; the finding is overwritten
 * by the next.
 */
export function followStretches(
  detector: Detector,
  stretches: readonly Stretch[],
  found: (finding: Finding, stretch: number, row: number) => void,
): void {
  const width = detector.bundle.catalogue.signals.length;
  let next = 0;
  const enter = (): Place | null => {
    while (next < stretches.length) {
      const { series, from, to } = stretches[next]!;
      next += 1;
      if (from >= to) continue;
      const event = { state: detector.newState(), values: series.values, at: 0, tsMs: 0 };
      return { stretch: next - 1, row: from, to, tsMs: series.tsMs, event };
    }
    return null;
  };
  const places: Place[] = [];
  const events: CarEvent[] = [];
  const take = (i: number): void => {
    const place = enter();
    if (place !== null) {
      places[i] = place;
      events[i] = place.event;
      return;
    }
    // The last one takes the place of one that is through.
    const [last, event] = [places.pop()!, events.pop()!];
    if (i === places.length) return;
    places[i] = last;
    events[i] = event;
  };
  const tell = (finding: Finding, i: number) => found(finding, places[i]!.stretch, places[i]!.row);
  for (let i = 0; i < MOST_IN_WAVE; i += 1) {
    const place = enter();
    if (place === null) break;
    places.push(place);
    events.push(place.event);
  }
  while (places.length > 0) {
    for (const { event, row, tsMs } of places) {
      event.at = row * width;
      event.tsMs = tsMs[row]!;
    }
    detector.wave(events, events.length, tell);
    for (let i = places.length - 1; i >= 0; i -= 1) {
      places[i]!.row += 1;
      if (places[i]!.row === places[i]!.to) take(i);
    }
  }
}

export const whole = (series: Series): Stretch => ({ series, from: 0, to: series.tsMs.length });
