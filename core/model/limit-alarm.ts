// Statistics heard alone have a voice besides their part in the sum: a single channel that is further out than whole
// cars ever were is an alert, however calm the others are. Up to its limit a voice says little, so that rows are ranked
// by what many statistics find; beyond it grows by its logarithm, so that one channel's extremes do not outrank what
// all agree on.

/** When a statistic alone is as rare as an alert may be. */
export interface LimitAlarms {
  /** One a statistic, > 0: the raw value that is as rare; null: no voice. */
  readonly limits: (number | null)[];
  /** The strangeness, of all statistics together, that is as rare, > 0. */
  readonly strangeness: number;
}

/** The fourth power: how steeply a voice rises to its limit. */
const fourth = (value: number): number => value * value * (value * value);

/** Sum and voice are added by their eighth powers: nearly the greater of the two. */
const eighth = (value: number): number => fourth(value) * fourth(value);

/** How loud a statistic is, as a share of an alert, from its raw value over its limit. */
export const loudness = (ratio: number): number => (ratio < 1 ? fourth(ratio) : 1 + Math.log(ratio));

/** Strangeness by all statistics together, and by the loudest voice. */
export function withAlarm(together: number, voice: number): number {
  const greater = Math.max(together, voice);
  if (greater <= 0) return 0;
  return greater * Math.sqrt(Math.sqrt(Math.sqrt(eighth(together / greater) + eighth(voice / greater))));
}

/** The voice's part of the two, 0 to 1. */
export function alarmPart(together: number, voice: number): number {
  const greater = Math.max(together, voice);
  if (greater <= 0) return 0;
  const loud = eighth(voice / greater);
  return loud / (loud + eighth(together / greater));
}
