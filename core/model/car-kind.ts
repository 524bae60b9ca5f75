// Which kind of car it is, by what an event measured.

/** How well each channel list fits what an event measured: +1 for a channel found, −1 for one not foreseen. */
export function marksOf(lists: readonly (readonly number[])[], channels: number): Int8Array[] {
  return lists.map((list) => {
    const marks = new Int8Array(channels).fill(-1);
    for (const channel of list) marks[channel] = 1;
    return marks;
  });
}

/** How well what an event measured fits a list, by its marks. */
export function fitOf(marks: Int8Array, present: Uint8Array): number {
  let sum = 0;
  for (let k = 0; k < marks.length; k += 1) sum += marks[k]! * present[k]!;
  return sum;
}
