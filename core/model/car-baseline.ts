// A car's usual strangeness. Some cars and some drives are a little strange all the time: an old engine, a trailer, a
// road the history hardly knows. What a car's scores usually exceed the fleet's by is taken off, as far as healthy cars
// go and no further, so that a fault is judged against the car's own calm and a lasting fault cannot become one.

/** What the scores of cars held out are like. */
export interface CarBaseline {
  /** Their median, ≥ 0. */
  readonly typical: number;
  /** The highest score that may count as a car's usual one, ≥ typical. */
  readonly most: number;
}

/** Floats of a car's state: events counted, and the log of its usual score over the typical one. */
export const BASELINE_STATE = 2;

/** Events of the fleet's that a car's own are weighed against, and events after which the past is forgotten. */
const FLEET_WEIGHT = 50;
const MOST_WEIGHT = 1200;
/** Events of the past that still count after a pause: the car is the same one, its drive is another. */
const MOST_KEPT = 100;
/** One event moves the usual score by this factor's logarithm at most, over its weight. */
const MOST_NEWS = 1;
/** Scores below it are not told apart. */
const FLOOR = 0.1;

/**
 * The score less what is usual for the car beyond what is typical, ≥ 0; the state (from `at`) then learns from it.
 * @param unsure less of the car is known than usually is: a low score does not tell what is usual for it
 */
export function lessBaseline(
  { typical, most }: CarBaseline,
  score: number,
  state: Float32Array,
  at: number,
  restart: boolean,
  unsure = false,
): number {
  const count = restart ? Math.min(MOST_KEPT, state[at]!) : state[at]!;
  const log = state[at + 1]!;
  const base = typical + FLOOR;
  const rest = score - base * (Math.exp(log) - 1);
  const weight = Math.min(MOST_WEIGHT, FLEET_WEIGHT + count + 1);
  const news = Math.log((score + FLOOR) / base) - log;
  const least = unsure ? 0 : -MOST_NEWS;
  const bounded = news > MOST_NEWS ? MOST_NEWS : news < least ? least : news;
  state[at] = Math.min(MOST_WEIGHT, count + 1);
  state[at + 1] = Math.min(Math.log((most + FLOOR) / base), log + bounded / weight);
  return rest > 0 ? rest : 0;
}
