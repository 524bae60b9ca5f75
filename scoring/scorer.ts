// The scorer of one partition under one model: batches of telemetry in, scores and states out. No clock, no log, no waiting:
// the same records from the same states give the same outputs, which is what lets a killed process begin the batch again.
import type { OutputRecord, RecordBatch } from '../core/log/log.ts';
import type { Detector } from '../core/model/detector.ts';
import { admit, contentHash, type EventIdentity } from '../core/sequence.ts';
import { createTelemetryReader, type TelemetryEvent } from '../core/telemetry-reader.ts';
import { type Car, decodeCar, encodeCar, newCar } from './car.ts';
import { followCar } from './follow.ts';
import { createScoreWriter } from './score-writer.ts';

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
}

export interface ScorerOptions {
  readonly detector: Detector;
  readonly version: string;
  readonly scoresTopic: string;
  readonly stateTopic: string;
}

export class Scorer {
  readonly #options: ScorerOptions;
  readonly #cars = new Map<string, Car>();
  readonly #read: ReturnType<typeof createTelemetryReader>;
  readonly #write: ReturnType<typeof createScoreWriter>;
  readonly #scratch: Car['detector'];
  /** The readings the hash is made for: those of the reader, which are the same array each time. */
  #hashed: Float64Array | undefined;
  #hash: () => number = () => 0;

  constructor(options: ScorerOptions) {
    const { detector, version } = options;
    this.#options = options;
    this.#read = createTelemetryReader(detector.bundle.catalogue);
    this.#write = createScoreWriter(detector.bundle, version);
    this.#scratch = detector.newState();
  }

  /** Takes over a car's state from the state topic; false when the bytes are none, and the car begins anew. */
  restore(vin: string, bytes: Uint8Array): boolean {
    const car = decodeCar(bytes, this.#options.detector);
    if (car === null) this.#cars.delete(vin);
    else this.#cars.set(vin, car);
    return car !== null;
  }

  /** Scores each event not seen before; one state a car that had any. */
  score({ records, partition }: RecordBatch): ScoredBatch {
    const { scoresTopic, stateTopic, detector } = this.#options;
    const outputs: OutputRecord[] = [];
    const touched = new Set<string>();
    const restarts: Restart[] = [];
    const counts = { duplicates: 0, late: 0, forgotten: 0, invalid: 0 };
    for (const { value, offset, timestampMs } of records) {
      const event = value === null ? null : this.#read(value);
      if (event === null) {
        counts.invalid += 1;
        continue;
      }
      const car = this.#carOf(event.vin);
      const admission = admit(car.sequence, this.#identify(event));
      if (admission.kind === 'duplicate' || admission.kind === 'forgotten') {
        counts[admission.kind === 'duplicate' ? 'duplicates' : 'forgotten'] += 1;
        continue;
      }
      const { vin, seq, tsMs, values } = event;
      if (admission.kind === 'restart') restarts.push({ vin, seq, before: admission.before });
      touched.add(vin);
      const inOrder = admission.kind !== 'filled';
      const followed = { values, tsMs, receivedMs: timestampMs, inOrder };
      const { finding, late } = followCar(detector, car, this.#scratch, followed);
      if (late) counts.late += 1;
      outputs.push({
        topic: scoresTopic,
        key: vin,
        value: this.#write({ event, partition, offset, late, finding }),
        timestampMs,
      });
    }
    const scored = outputs.length;
    for (const vin of touched)
      outputs.push({ topic: stateTopic, key: vin, value: encodeCar(this.#cars.get(vin)!, detector) });
    return { outputs, scored, restarts, ...counts };
  }

  #carOf(vin: string): Car {
    const known = this.#cars.get(vin);
    if (known) return known;
    const car = newCar(this.#options.detector);
    this.#cars.set(vin, car);
    return car;
  }

  #identify({ seq, tsMs, session, values }: TelemetryEvent): EventIdentity {
    if (this.#hashed !== values) {
      this.#hashed = values;
      this.#hash = contentHash(values);
    }
    return { seq, tsMs, session, hash: this.#hash() };
  }
}
