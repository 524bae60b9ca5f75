// Whether an event time can be true when the event came in at a given time. A car's clock is never exact, and loggers bring in
// what they kept for months; seconds taken for milliseconds, clocks that were never set and years to come are none of that.
// What cannot be true is refused, because alerts of 1970 are found by nobody, and one event of next year would make all others late.
import type { Settings } from '../core/settings.ts';

export interface TimeBounds {
  /** An event may be so much older than its receipt, ms. */
  readonly maxAgeMs: number;
  /** An event may be so much ahead of its receipt, ms. */
  readonly maxAheadMs: number;
}

const DAY_MS = 86_400_000;
/**
 * Where the settings say nothing. The longest history that the simulator drives is 365 days, and takes some days to drive; a
 * clock that is set at all is off by minutes.
 */
export const TIME_BOUNDS: TimeBounds = { maxAgeMs: 400 * DAY_MS, maxAheadMs: 10 * 60_000 };
/** Nothing is refused for its time: for recordings, whose times are what they are. */
export const ANY_TIME: TimeBounds = { maxAgeMs: Infinity, maxAheadMs: Infinity };

export function timeBoundsOf({
  maxEventAge,
  maxEventAhead,
}: Pick<Settings, 'maxEventAge' | 'maxEventAhead'>): TimeBounds {
  return {
    maxAgeMs: maxEventAge ?? TIME_BOUNDS.maxAgeMs,
    maxAheadMs: maxEventAhead ?? TIME_BOUNDS.maxAheadMs,
  };
}

/** Units that clocks count in besides milliseconds, in ms. */
const UNITS = [
  ['seconds', 1000],
  ['microseconds', 1e-3],
  ['nanoseconds', 1e-6],
  ['minutes', 60_000],
] as const;
/** Clocks that count from another day than 1970-01-01, and how much they are behind, ms. */
const EPOCHS = [
  ['counts from 2000', Date.UTC(2000, 0, 1)],
  ['counts from 1980, as GPS does', Date.UTC(1980, 0, 6)],
  ['lost 1024 weeks, as GPS clocks do', 1024 * 7 * DAY_MS],
] as const;

export function isPlausible(tsMs: number, receivedMs: number, { maxAgeMs, maxAheadMs }: TimeBounds): boolean {
  return tsMs >= receivedMs - maxAgeMs && tsMs <= receivedMs + maxAheadMs;
}

/** Why an event time cannot be true: its date, how far it is off, and the likely mistake with what to send instead. */
export function whyImplausible(tsMs: number, receivedMs: number, bounds: TimeBounds): string {
  const off = tsMs - receivedMs;
  const limit = off < 0 ? bounds.maxAgeMs : bounds.maxAheadMs;
  const far = `${spanOf(Math.abs(off))} ${off < 0 ? 'before' : 'after'} its receipt, at most ${spanOf(limit)} are taken`;
  return `${tsMs} is ${dateOf(tsMs)}, ${far}${likely(tsMs, receivedMs)}`;
}

/** A likely mistake, with what to do; empty: none is known. Near is within the fallbacks, whatever the bounds are. */
export function likely(tsMs: number, receivedMs: number): string {
  const near = (ms: number) => isPlausible(ms, receivedMs, TIME_BOUNDS);
  if (near(tsMs)) return '';
  const unit = UNITS.find(([, ms]) => near(tsMs * ms));
  if (unit) return `; it looks like ${unit[0]}: send milliseconds`;
  const epoch = EPOCHS.find(([, behindMs]) => near(tsMs + behindMs));
  if (epoch) return `; it looks like a clock that ${epoch[0]}: send milliseconds since 1970`;
  if (tsMs < DAY_MS * 366) return '; it looks like time since a start: send milliseconds since 1970';
  return '; is the clock set?';
}

function dateOf(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return 'no date that there is';
  return date.toISOString().replace(/T.*/, '');
}

/** In words, to two figures. */
function spanOf(ms: number): string {
  if (ms === Infinity) return 'any time';
  const [unit, size] = (
    [
      ['years', 365.25 * DAY_MS],
      ['days', DAY_MS],
      ['h', 3_600_000],
      ['min', 60_000],
    ] as const
  ).find(([, one]) => ms >= 2 * one) ?? ['s', 1000];
  const count = ms / size;
  return `${count < 10 ? Number(count.toFixed(1)) : Math.round(count).toLocaleString('en')} ${unit}`;
}
