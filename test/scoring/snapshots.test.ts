// Whoever takes over goes on byte for byte: random streams of cars that restart, send late and twice, cut into random batches, with
// a takeover at every boundary, from snapshots and the telemetry that is in none of them.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRecord, RecordBatch } from '../../core/log/log.ts';
import { createDetector } from '../../core/model/detector.ts';
import { seededRandom } from '../../core/model/random.ts';
import { scoresIn } from '../../core/score-cursor.ts';
import { newCar } from '../../scoring/car.ts';
import { restore } from '../../scoring/restore.ts';
import { Scorer } from '../../scoring/scorer.ts';
import { type KeptCar, keptCar, SnapshotQueue } from '../../scoring/snapshots.ts';
import { handBundle, identityHead } from '../support/hand-bundle.ts';

const detector = createDetector(handBundle({ heads: [identityHead({ span: 4 })] }));
const [SCORES, STATES] = ['scores.v1', 'scorer-state.v1'];
const T0 = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

const scorer = (stateBytes: number) =>
  new Scorer({ detector, version: 'v1', scoresTopic: SCORES!, stateTopic: STATES!, stateBytes });

type Random = () => number;
const within = (random: Random, most: number) => Math.floor(most * random());

/** A car that counts, restarts, loses its clock, and sends what it held back. */
function* car(vin: string, random: Random): Generator<string> {
  const sent: string[] = [];
  const heldBack: string[] = [];
  let session = random() < 0.5 ? null : 1;
  let seq = within(random, 3);
  let ts = T0 + within(random, 1e6);
  for (;;) {
    const draw = random();
    if (draw < 0.08 && sent.length > 0) {
      yield sent[Math.max(0, sent.length - 1 - within(random, 20))]!;
      continue;
    }
    if (draw < 0.12 && heldBack.length > 0) {
      const [late] = heldBack.splice(within(random, heldBack.length), 1);
      sent.push(late!);
      yield late!;
      continue;
    }
    if (draw < 0.15) {
      seq = within(random, 2);
      if (session !== null) session += 1;
    } else if (draw < 0.17) ts -= within(random, 1e8);
    seq += 1 + (draw < 0.25 ? within(random, 6) : 0);
    ts += 1000 * (1 + (draw > 0.97 ? within(random, 200) : 0));
    const signals = { speedKmh: Math.round(500 + 100 * random()) / 10, coolantC: draw < 0.3 ? null : 90 };
    const event = JSON.stringify({ vin, seq, ...(session === null ? {} : { session }), ts, signals });
    if (random() < 0.1) heldBack.push(event);
    else {
      sent.push(event);
      yield event;
    }
  }
}

/** Records of some cars, mixed, with some nobody can read, cut into batches. */
function streamOf(seed: number, cars: number, length: number): RecordBatch[] {
  const random = seededRandom(seed, 'stream');
  const running = Array.from({ length: cars }, (_, i) => car(`C${i}`, seededRandom(seed, `C${i}`)));
  const records: LogRecord[] = [];
  let timestampMs = T0;
  for (let offset = 3; records.length < length; offset += random() < 0.05 ? 3 : 1) {
    timestampMs += random() < 0.004 ? 2 * HOUR_MS : within(random, 3000);
    const c = within(random, cars);
    const text = random() < 0.03 ? '{"vin":' : (running[c]!.next().value as string);
    records.push({ offset, timestampMs, key: `C${c}`, value: Buffer.from(text) });
  }
  const batches: RecordBatch[] = [];
  for (let at = 0; at < length; ) {
    const size = 1 + within(random, 12);
    const batch = { topic: 'telemetry', partition: 0, records: records.slice(at, at + size) };
    batches.push({ ...batch, highWatermark: records.at(-1)!.offset + 1 });
    at += size;
  }
  return batches;
}

/** What lives of scorers leave: the scores, and a compacted topic of states. */
class Stream {
  readonly scores: Buffer[] = [];
  /** In the order of their last records. */
  readonly states = new Map<string, Uint8Array>();
  snapshots = 0;
  replayed = 0;
  readonly batches: readonly RecordBatch[];
  readonly #stateBytes: number;
  #life: Scorer;

  constructor(batches: readonly RecordBatch[], stateBytes: number) {
    this.batches = batches;
    this.#stateBytes = stateBytes;
    this.#life = scorer(stateBytes);
  }

  /** Another scorer, which knows what is on the log before batch `at` and nothing else. */
  takeOver(at: number): void {
    const next = this.batches[at]!.records[0]!.offset;
    this.#life = scorer(this.#stateBytes);
    for (const [vin, bytes] of this.states) expect(this.#life.restore(vin, bytes)).toBe(true);
    const from = this.#life.replayFrom(next);
    if (from === null) return;
    for (const batch of this.batches.slice(0, at)) {
      const records = batch.records.filter(({ offset }) => offset >= from);
      if (records.length > 0) this.replayed += this.#life.replay({ ...batch, records });
    }
  }

  /** One commit. */
  score(at: number): void {
    for (const { topic, key, value } of this.#life.score(this.batches[at]!).outputs) {
      if (topic === SCORES) this.scores.push(Buffer.from(value!));
      else {
        this.snapshots += 1;
        this.states.delete(key);
        this.states.set(key, value!);
      }
    }
  }
}

function undisturbed(batches: readonly RecordBatch[]): Buffer {
  const whole = new Stream(batches, 1);
  for (const at of batches.keys()) whole.score(at);
  return Buffer.concat(whole.scores);
}

const streams = fc.record({
  seed: fc.integer(),
  cars: fc.integer({ min: 1, max: 9 }),
  stateBytes: fc.constantFrom(1, 8, 30, 200, 1_000_000),
});

describe('a scorer that takes over', () => {
  it('goes on byte for byte, at any boundary, one life a batch', () => {
    const seen = { replayed: 0, snapshots: 0, scores: 0 };
    fc.assert(
      fc.property(streams, ({ seed, cars, stateBytes }) => {
        const batches = streamOf(seed, cars, 220);
        const lives = new Stream(batches, stateBytes);
        batches.forEach((_, at) => {
          lives.takeOver(at);
          lives.score(at);
        });
        expect(Buffer.concat(lives.scores).equals(undisturbed(batches))).toBe(true);
        seen.replayed += lives.replayed;
        if (stateBytes > 200) return;
        seen.snapshots += lives.snapshots;
        seen.scores += lives.scores.reduce((sum, record) => sum + scoresIn(record), 0);
      }),
      { seed: 1, numRuns: 60 },
    );
    expect(seen.replayed).toBeGreaterThan(10_000);
    expect(seen.snapshots).toBeLessThan(0.5 * seen.scores);
  });

  it('goes on byte for byte after one takeover, wherever it is', () => {
    fc.assert(
      fc.property(streams, ({ seed, cars, stateBytes }) => {
        const batches = streamOf(seed, cars, 120);
        const wanted = undisturbed(batches);
        for (let boundary = 1; boundary < batches.length; boundary += 1) {
          const lives = new Stream(batches, stateBytes);
          batches.forEach((_, at) => {
            if (at === boundary) lives.takeOver(at);
            lives.score(at);
          });
          expect(Buffer.concat(lives.scores).equals(wanted), `boundary ${boundary}`).toBe(true);
        }
      }),
      { seed: 2, numRuns: 25 },
    );
  });
});

describe('restoring from a log', () => {
  const batches = streamOf(5, 4, 100);
  const telemetry = batches.flatMap(({ records }) => records);
  const next = telemetry.at(-1)!.offset + 1;
  const lives = new Stream(batches, 15);
  for (const at of batches.keys()) lives.score(at);

  /** A log of which telemetry before `earliest` is gone. */
  function logFrom(earliest: number, states: readonly (readonly [string, Uint8Array])[]) {
    const asked: unknown[] = [];
    const state = states.map(([key, value], offset) => ({ offset, timestampMs: 0, key, value }));
    return {
      asked,
      ranges: async () => [{ partition: 0, earliest, end: next }],
      read: async function* (topic: string, options: object): AsyncGenerator<RecordBatch> {
        asked.push({ topic, ...options });
        const records = topic === STATES ? state : telemetry.filter(({ offset }) => offset >= earliest);
        if (records.length > 0) yield { topic, partition: 0, records, highWatermark: next };
      },
    };
  }
  const { signal } = new AbortController();

  it('reads the snapshots, then telemetry from the first event that is in none up to the committed offset', async () => {
    const log = logFrom(0, [...lives.states]);
    const lines: string[] = [];
    const options = { log, version: 'v1', warn: (line: string) => lines.push(line) };
    const restored = await restore(options, scorer(15), 0, { next, signal });
    expect(restored.snapshots).toBe(4);
    expect(restored.replayed).toBeGreaterThan(20);
    expect(lines).toEqual([]);
    const at = (offset: number) => ({ offsets: [{ partition: 0, offset }] });
    const newest = [...lives.states.values()].at(-1)!;
    const from = new DataView(newest.buffer, newest.byteOffset).getFloat64(18, true);
    expect(log.asked).toMatchObject([
      { topic: STATES, partitions: [0], to: 'end' },
      { topic: 'telemetry', partitions: [0], from: at(from), to: at(next) },
    ]);
  });

  it('says which states it cannot read, and that telemetry has lost what was to be told again', async () => {
    const states = [...lives.states];
    states[0] = [states[0]![0], new Uint8Array([1, 2, 3])];
    const lines: string[] = [];
    const options = {
      log: logFrom(next - 1, states),
      version: 'v1',
      warn: (line: string) => lines.push(line),
    };
    await restore(options, scorer(15), 0, { next, signal });
    expect(lines).toEqual([
      expect.stringMatching(/^scorer v1: 1 state of partition 0 cannot be read .*begin anew$/),
      expect.stringMatching(
        new RegExp(
          `^scorer v1: telemetry of partition 0 begins at offset ${next - 1}, .* its retention has passed`,
        ),
      ),
    ]);
  });
});

describe('the queue of snapshots', () => {
  const fleet = (cars: number) => Array.from({ length: cars }, (_, i) => keptCar(`C${i}`, newCar(detector)));
  const STATE = 1000;
  const COST = STATE + 'C0'.length + 32;

  /** Batches of events of the cars in turn; what was written after each. */
  function run(
    cars: readonly KeptCar[],
    events: number,
    batch: number,
    bytesPerEvent: number,
    stepMs = 1000,
  ) {
    const queue = new SnapshotQueue(bytesPerEvent);
    const written: { vins: string[]; from: number[] }[] = [];
    for (let offset = 0; offset < events; ) {
      const first = offset;
      for (; offset < first + batch; offset += 1)
        queue.note(cars[offset % cars.length]!, offset, T0 + stepMs * offset);
      const one = { vins: [] as string[], from: [] as number[] };
      queue.settle({ scored: batch, next: offset, nowMs: T0 + stepMs * offset }, (kept, unsavedFrom) => {
        one.vins.push(kept.vin);
        one.from.push(unsavedFrom);
        return STATE;
      });
      written.push(one);
    }
    return { queue, written };
  }

  it('spends what events earn, evenly, on every car in turn', () => {
    // A tenth of a state an event: after the first, every batch of 20 writes 2.
    const { written } = run(fleet(10), 2000, 20, COST / 10);
    expect(written.every(({ vins }) => vins.length <= 3)).toBe(true);
    expect(written.flatMap(({ vins }) => vins).length).toBe(200);
    const turn = written.flatMap(({ vins }) => vins).slice(0, 10);
    expect(turn).toEqual(Array.from({ length: 10 }, (_, i) => `C${i}`));
  });

  it('writes in the first batch, and says from where on events are in no snapshot', () => {
    const { written, queue } = run(fleet(4), 8, 4, 1);
    expect(written).toEqual([
      { vins: ['C0'], from: [1] },
      { vins: [], from: [] },
    ]);
    expect(queue.length).toBe(4);
    expect(run(fleet(4), 4, 4, 1e6).written).toEqual([
      { vins: ['C0', 'C1', 'C2', 'C3'], from: [1, 2, 3, 4] },
    ]);
  });

  it('lets no event wait longer than an hour of log time, at one state an event', () => {
    // A car speaks once in 1,000 s, four of them once in 250 s: what they earn would pay for one state in 1,032 events.
    const { written } = run(fleet(4), 60, 1, 1, 250_000);
    expect(written.every(({ vins }) => vins.length <= 1)).toBe(true);
    const saved = written.flatMap(({ vins }) => vins);
    // After the first, the oldest event is an hour old every 14 or 15 events: all four cars in turn, each an hour.
    expect(saved.length).toBeGreaterThan(10);
    expect(new Set(saved).size).toBe(4);
  });

  it('puts nothing by for a burst where all is saved', () => {
    const [car] = fleet(1);
    const { queue } = run([car!], 1000, 1, 10 * COST);
    const many = fleet(50);
    let written = 0;
    for (const [i, one] of many.entries()) queue.note(one, 1000 + i, T0);
    queue.settle({ scored: 1, next: 1050, nowMs: T0 }, () => {
      written += 1;
      return STATE;
    });
    expect(written).toBe(1);
  });
});
