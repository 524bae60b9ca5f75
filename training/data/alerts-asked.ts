// The budget of alerts a person can bear, and how many that is over the rows at hand.

export interface Budget {
  /** Alerts that normal driving may raise per hour of driving of one car. */
  readonly alertsPerHour: number;
  /** Hours of driving the scores span. */
  readonly hours: number;
  /** True when the cars to come are the ones held out by time: no other car will be odder. Default false. */
  readonly sameCars?: boolean;
  /** Cars that were held out. Default: as many as series. */
  readonly cars?: number;
  /** Share of the budget kept back for what the hours held out did not show. Default: by the number of cars; none when they are the same. */
  readonly keptBack?: number;
  /**
   * Episodes that reach so many scales beyond the largest to be expected are taken for faults. Default 4, for scores,
   * which are sums of logarithms: one in fifty. What is no logarithm has longer tails.
   */
  readonly beyond?: number;
}

/**
 * Rows for each alert that a budget allows at most: where rows come minutes apart, half an alert an hour would
 * otherwise be more alerts than there can be episodes, and the alert would never end.
 */
const ROWS_PER_ALERT = 2000;

/** Alerts that a budget allows over so many rows, before any of it is kept back; > 0. */
export const alertsAsked = (
  rows: number,
  { alertsPerHour, hours }: Pick<Budget, 'alertsPerHour' | 'hours'>,
) => Math.max(1e-6, Math.min(alertsPerHour * hours, rows / ROWS_PER_ALERT));
