// When a tape's events are said to have happened: as it was recorded, or moved to now. Times that count from a start have no date.
// An ingest that looks at times takes none of years past or ahead of the clock: for it, what is moved is never ahead when it is sent.

/** Event times before 1980 count from a start, not from 1970. */
const ABSOLUTE_MS = 315_532_800_000;

const countsFromStart = (tsMs: number): boolean => tsMs < ABSOLUTE_MS;

/** What is known of the times of a tape before they are moved. */
export interface TapeTimes {
  /** Of the row that comes first. */
  readonly firstMs: number;
  readonly earliestMs: number;
  readonly latestMs: number;
  /** How far a row's time is ahead of when it is sent, counted from the start of the run, at most. */
  readonly leadMs: number;
}

/** With one more row, sent so long after the start of the run. */
export function withTime(times: TapeTimes | null, tsMs: number, sentMs: number): TapeTimes {
  if (times === null) return { firstMs: tsMs, earliestMs: tsMs, latestMs: tsMs, leadMs: tsMs - sentMs };
  return {
    firstMs: times.firstMs,
    earliestMs: Math.min(times.earliestMs, tsMs),
    latestMs: Math.max(times.latestMs, tsMs),
    leadMs: Math.max(times.leadMs, tsMs - sentMs),
  };
}

/**
 * What is added to a tape's times when it is sent from now on; `says` when a person should know.
 * @param recentMs how far back ingest takes times: absolute ones that reach further are moved; Infinity: it takes any time
 */
export function shiftOf(
  { firstMs, earliestMs, latestMs, leadMs }: TapeTimes,
  nowMs: number,
  recentMs: number,
): { readonly shiftMs: number; readonly says?: string } {
  const counts = countsFromStart(firstMs);
  // Whoever takes any time has times from a start begin now: what is driven later is later.
  if (recentMs === Number.POSITIVE_INFINITY) return { shiftMs: counts ? nowMs : 0 };
  // Down to whole milliseconds: a pace makes parts of them, which are no event times.
  const shiftMs = Math.floor(nowMs - leadMs);
  if (counts) return { shiftMs };
  if (earliestMs >= nowMs - recentMs && latestMs <= nowMs) return { shiftMs: 0 };
  const [from, to] = [earliestMs, latestMs].map((ms) => new Date(ms).toISOString().slice(0, 10));
  const days = Math.round(shiftMs / 86_400_000).toLocaleString('en');
  return {
    shiftMs,
    says:
      `its times (${from} to ${to}) are moved by ${days} days to now, because ingest takes recent events only; ` +
      '--keep-times leaves them as they are (ingest then needs --max-event-age 36500d)',
  };
}
