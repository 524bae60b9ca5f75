// A name that is not there is most often one that is, misspelled.

/** Single-letter changes that turn one text into the other (Levenshtein 1965). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** `; did you mean "speed"?`, or nothing when no name is near: at most a third of its letters away, case aside. */
export function didYouMean(name: string, names: readonly string[]): string {
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const one of names) {
    const far = distance(name.toLowerCase(), one.toLowerCase());
    if (far < least) [nearest, least] = [one, far];
  }
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}
