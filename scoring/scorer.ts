// The scorer of one partition under one model: batches of telemetry in, scores and snapshots of states out. No clock, no log, no
// waiting: the same records from the same states give the same scores, which is what lets another process take over. It restores
// the snapshots, replays what came after them, and goes on byte for byte as if it had been there all the time.
import type { LogRecord, OutputRecord, RecordBatch } from '../core/log/log.ts';
import type { Detector } from '../core/model/detector.ts';
import { admit, contentHash, type EventIdentity } from '../core/sequence.ts';
import { SETTINGS } from '../core/settings.ts';
import { createTelemetryReader, type TelemetryEvent } from '../core/telemetry-reader.ts';
import { decodeSnapshot, encodeSnapshot, newCar } from './car.ts';
import type { FollowedEvent } from './follow.ts';
import { createScoreWriter, type ScoredEvent } from './score-writer.ts';
import { type KeptCar, keptCar, SnapshotQueue } from './snapshots.ts';
import { Waves } from './waves.ts';

/** A car's counter that began anew: its highest number before, and the number it goes on with. */
export interface Restart {
  readonly vin: string;
  readonly before: number;
  readonly seq: number;
}

/** What a batch came to. */
export interface ScoredBatch {
  readonly outputs: readonly OutputRecord[];
  readonly scored: number;
  readonly duplicates: number;
  readonly late: number;
  /** Events from before what is remembered of their car: whether they were scored cannot be told, so they are not. */
  readonly forgotten: number;
  /** Cars whose counter began anew, in order. */
  readonly restarts: readonly Restart[];
  /** Records that no ingest of this version would have let in. */
  readonly invalid: number;
  /** Bytes of the snapshots among the outputs. */
  readonly stateBytes: number;
}

export interface ScorerOptions {
  readonly detector: Detector;
  readonly version: string;
  readonly scoresTopic: string;
  readonly stateTopic: string;
  /** Bytes of snapshots for a scored event, on average: the setting of that name. */
  readonly stateBytes?: number;
  /** Whether somebody looks at a car: its scores are told in full. Default: nobody looks at any. */
  readonly isWatched?: ((vin: string) => boolean) | undefined;
}

export class Scorer {
  readonly #options: ScorerOptions;
  readonly #cars = new Map<string, KeptCar>();
  readonly #queue: SnapshotQueue;
  /** As in Snapshot, of the newest that told it. */
  #unsavedFrom = -1;
  readonly #read: ReturnType<typeof createTelemetryReader>;
  readonly #write: ReturnType<typeof createScoreWriter>;
  readonly #waves: Waves<ScoredEvent>;
  /** The readings the hash is made for: those of the reader, which are the same array each time. */
  #hashed: Float64Array | undefined;
  #hash: () => number = () => 0;

  constructor(options: ScorerOptions) {
    const { detector, version, isWatched } = options;
    this.#options = options;
    this.#queue = new SnapshotQueue(options.stateBytes ?? SETTINGS.stateBytes.fallback);
    this.#read = createTelemetryReader(detector.bundle.catalogue);
    this.#write = createScoreWriter(detector, version, isWatched);
    this.#waves = new Waves(detector, this.#write.tell);
  }

  /** Cars whose newest events are in no snapshot. */
  get unsaved(): number {
    return this.#queue.length;
  }

  /** Takes over a car from the state topic, record by record in its order; false when the car cannot be read and begins anew. */
  restore(vin: string, bytes: Uint8Array): boolean {
    const { car, trueAt, unsavedFrom } = decodeSnapshot(bytes, this.#options.detector);
    if (unsavedFrom >= 0) this.#unsavedFrom = unsavedFrom;
    if (car === null) this.#cars.delete(vin);
    else this.#cars.set(vin, keptCar(vin, car, trueAt));
    return car !== null;
  }

  /**
   * After the states: from which offset of telemetry on its records are to be replayed, up to `next`, where scoring goes on. Null: none
   * are; nor where no state tells it, as then no batch has scored anything yet.
   */
  replayFrom(next: number): number | null {
    return this.#unsavedFrom >= 0 && this.#unsavedFrom < next ? this.#unsavedFrom : null;
  }

  /** Advances cars by records that were scored before, where their snapshots do not know them; how many events that were. */
  replay({ records }: RecordBatch): number {
    let replayed = 0;
    for (const record of records) {
      const { offset } = record;
      // Mostly so: told without reading the event.
      if (offset < (this.#cars.get(record.key)?.savedTo ?? 0)) continue;
      const event = this.#eventOf(record);
      if (event === null) continue;
      const kept = this.#carOf(event.vin);
      const admission = admit(kept.car.sequence, this.#identify(event));
      if (admission.kind === 'duplicate' || admission.kind === 'forgotten') continue;
      this.#waves.follow(kept.car, followed(event, record, admission.kind !== 'filled'), null);
      this.#queue.note(kept, offset, record.timestampMs);
      replayed += 1;
    }
    this.#waves.flush();
    return replayed;
  }

  /** Scores each event not seen before, and writes the snapshots whose turn it is. */
  score({ records, partition }: RecordBatch): ScoredBatch {
    const { scoresTopic } = this.#options;
    const outputs: OutputRecord[] = [];
    const restarts: Restart[] = [];
    const events: ScoredEvent[] = [];
    const counts = { duplicates: 0, late: 0, forgotten: 0, invalid: 0 };
    for (const record of records) {
      const event = this.#eventOf(record);
      if (event === null) {
        counts.invalid += 1;
        continue;
      }
      const { vin, seq, tsMs } = event;
      const kept = this.#carOf(vin);
      const admission = admit(kept.car.sequence, this.#identify(event));
      if (admission.kind === 'duplicate' || admission.kind === 'forgotten') {
        counts[admission.kind === 'duplicate' ? 'duplicates' : 'forgotten'] += 1;
        continue;
      }
      const { offset, timestampMs } = record;
      if (admission.kind === 'restart') restarts.push({ vin, seq, before: admission.before });
      const scored: ScoredEvent = {
        vin,
        seq,
        ts: tsMs,
        receivedTs: timestampMs,
        offset,
        partition,
        beforeMs: kept.car.newestTsMs,
        score: 0,
        late: false,
        readings: null,
        words: null,
      };
      events.push(scored);
      const inOrder = admission.kind !== 'filled';
      if (!this.#waves.follow(kept.car, followed(event, record, inOrder), scored)) counts.late += 1;
      this.#queue.note(kept, offset, timestampMs);
    }
    this.#waves.flush();
    for (const event of events) this.#write.add(event);
    const scored = events.length;
    for (const made of this.#write.finish()) outputs.push({ topic: scoresTopic, ...made });
    const stateBytes = this.#save(records.at(-1)!, scored, outputs);
    return { outputs, scored, restarts, ...counts, stateBytes };
  }

  /** Adds the snapshots whose turn it is to the outputs; their bytes. */
  #save(last: LogRecord, scored: number, outputs: OutputRecord[]): number {
    const { stateTopic, detector } = this.#options;
    let stateBytes = 0;
    const trueAt = last.offset + 1;
    this.#queue.settle({ scored, next: trueAt, nowMs: last.timestampMs }, ({ vin, car }, unsavedFrom) => {
      const value = encodeSnapshot(car, { trueAt, unsavedFrom }, detector);
      outputs.push({ topic: stateTopic, key: vin, value });
      stateBytes += value.length;
      return value.length;
    });
    return stateBytes;
  }

  /** Null: no event, or under another key than its car's, where nobody would look for the car's state. */
  #eventOf({ key, value }: LogRecord): TelemetryEvent | null {
    const event = value === null ? null : this.#read(value);
    return event?.vin === key ? event : null;
  }

  #carOf(vin: string): KeptCar {
    const known = this.#cars.get(vin);
    if (known) return known;
    const kept = keptCar(vin, newCar(this.#options.detector));
    this.#cars.set(vin, kept);
    return kept;
  }

  #identify({ seq, tsMs, session, values }: TelemetryEvent): EventIdentity {
    if (this.#hashed !== values) {
      this.#hashed = values;
      this.#hash = contentHash(values);
    }
    return { seq, tsMs, session, hash: this.#hash() };
  }
}

const followed = (
  { values, tsMs }: TelemetryEvent,
  { timestampMs }: LogRecord,
  inOrder: boolean,
): FollowedEvent => ({ values, tsMs, receivedMs: timestampMs, inOrder });
