// The weather: a day's wave of temperature, coldest near 5 h and warmest near 15 h UTC, and a slower wave over days.
const DAY_MS = 86_400_000;

export interface Weather {
  readonly meanC: number;
  readonly swingC: number;
}

/** Outside temperature in °C at an event time. */
export function ambientAt(weather: Weather, nowMs: number): number {
  const day = ((nowMs % DAY_MS) / DAY_MS - 15 / 24) * 2 * Math.PI;
  const spell = Math.sin((nowMs / (5.3 * DAY_MS)) * 2 * Math.PI);
  return weather.meanC + weather.swingC * Math.cos(day) + 0.3 * weather.swingC * spell;
}
