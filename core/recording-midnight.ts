// Days passed in a column of times of day that has no dates beside it.

const DAY_MS = 86_400_000;
const PAST_MIDNIGHT_MS = 3_600_000;

/** Days passed in a column of times of day without a date. */
export class MidnightCounter {
  readonly #forward: boolean;
  readonly #cars = new Map<string, { lastMs: number; days: number }>();

  /** @param forward whether the file stands oldest first */
  constructor(forward: boolean) {
    this.#forward = forward;
  }

  shiftMs(id: string, ms: number): number {
    const car = this.#cars.get(id);
    if (!car) {
      this.#cars.set(id, { lastMs: ms, days: 0 });
      return 0;
    }
    const step = ms - car.lastMs;
    if (this.#forward && step < -PAST_MIDNIGHT_MS) car.days += 1;
    if (!this.#forward && step > PAST_MIDNIGHT_MS) car.days -= 1;
    car.lastMs = ms;
    return car.days * DAY_MS;
  }
}
