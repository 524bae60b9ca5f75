// Counts by key that forget a key whose count is back at zero, so that keys which strangers choose take no memory for good.

/** Adds `step` to the count of `key`. */
export function tally(counts: Map<string, number>, key: string, step: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + step;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
