// What a process remembers of its own commits to the embedded log: where each partition ended after the last one. A store that
// ends before that has lost acknowledged records, whatever the cause (it happened: see embedded-lock.ts, and a folder that is
// restored under a running program does the same). Nothing is written then, so that their offsets are not given to others.
import { TelltaleError } from '../errors.ts';

/** Ends that are remembered; beyond it the one that was written longest ago is forgotten. */
export const MAX_ENDS = 10_000;

/** Partitions have 16 bits, see embedded-format.ts. */
const keyOf = (topicId: number, partition: number): number => topicId * 0x1_0000 + partition;

export class KnownEnds {
  readonly #dir: string;
  readonly #ends = new Map<number, number>();

  /** `dir` is told in the error. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  get size(): number {
    return this.#ends.size;
  }

  /** @throws TelltaleError LOG_REWOUND when the partition ends before what was acknowledged */
  check(topic: string, topicId: number, partition: number, next: number): void {
    const known = this.#ends.get(keyOf(topicId, partition));
    if (known === undefined || next >= known) return;
    throw new TelltaleError(
      'LOG_REWOUND',
      `partition ${partition} of ${topic} in ${this.#dir} ends before offset ${next}, but records before ${known} were acknowledged: ` +
        'they are gone, and nothing more is written. Was the folder restored or changed meanwhile? Start again to go on from there',
    );
  }

  remember(topicId: number, partition: number, next: number): void {
    const key = keyOf(topicId, partition);
    this.#ends.delete(key);
    this.#ends.set(key, next);
    if (this.#ends.size <= MAX_ENDS) return;
    for (const oldest of this.#ends.keys()) {
      this.#ends.delete(oldest);
      return;
    }
  }
}
