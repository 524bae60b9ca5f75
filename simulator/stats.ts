// What a run counts: events offered, sent, acknowledged, given up; latency of the acknowledgement.

/** Latencies in buckets of 9 % width from 0.01 ms to 10 minutes: quantiles without keeping the values. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(208);
  count = 0;

  record(ms: number): void {
    const bucket = Math.floor(8 * Math.log2(Math.max(1, ms * 100)));
    this.#counts[Math.min(207, bucket)]! += 1;
    this.count += 1;
  }

  /** The latency in ms that a share `p` of the values does not exceed; 0 without values. */
  quantile(p: number): number {
    if (this.count === 0) return 0;
    let rest = p * this.count;
    for (let b = 0; b < this.#counts.length; b += 1) {
      rest -= this.#counts[b]!;
      if (rest <= 0) return 2 ** ((b + 1) / 8) / 100;
    }
    return 2 ** (208 / 8) / 100;
  }

  /** Counts as a list, so that processes can add theirs up. */
  toJSON(): number[] {
    return [...this.#counts];
  }

  add(counts: readonly number[]): void {
    counts.forEach((n, b) => {
      this.#counts[b]! += n;
      this.count += n;
    });
  }
}

/** Counters of a process; all events unless said otherwise. */
export interface Counts {
  connected: number;
  /** Admitted and not yet welcomed. */
  connecting: number;
  everConnected: number;
  reconnects: number;
  offered: number;
  /** PUBLISH packets written, with resends. */
  sent: number;
  resent: number;
  acknowledged: number;
  /** Given up by full queues. */
  dropped: number;
  /** Waiting in cars that are cut off at the moment. */
  held: number;
  duplicates: number;
  malformed: number;
  truths: number;
}

export const zeroCounts = (): Counts => ({
  connected: 0,
  connecting: 0,
  everConnected: 0,
  reconnects: 0,
  offered: 0,
  sent: 0,
  resent: 0,
  acknowledged: 0,
  dropped: 0,
  held: 0,
  duplicates: 0,
  malformed: 0,
  truths: 0,
});
