// The scorer of one partition under one model: batches of telemetry in, scores and states out. No clock, no log, no waiting:
// the same records from the same states give the same outputs, which is what lets a killed process begin the batch again.
import type { OutputRecord, RecordBatch } from '../core/log/log.ts';
import type { Detector } from '../core/model/detector.ts';
import { createTelemetryReader } from '../core/telemetry-reader.ts';
import { type Car, decodeCar, encodeCar, newCar } from './car.ts';
import { followCar } from './follow.ts';
import { createScoreWriter } from './score-writer.ts';
import { admit } from './sequence.ts';

/** What a batch came to. */
export interface ScoredBatch {
  readonly outputs: readonly OutputRecord[];
  readonly scored: number;
  readonly duplicates: number;
  readonly late: number;
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

  constructor(options: ScorerOptions) {
    const { detector, version } = options;
    this.#options = options;
    this.#read = createTelemetryReader(detector.bundle.catalogue);
    this.#write = createScoreWriter(detector.bundle, version);
    this.#scratch = detector.newState();
  }

  /** Takes over a car's state from the state topic. @throws TelltaleError MODEL_INVALID */
  restore(vin: string, bytes: Uint8Array): void {
    this.#cars.set(vin, decodeCar(bytes, this.#options.detector));
  }

  /** Scores each event not seen before; one state a car that had any. */
  score({ records, partition }: RecordBatch): ScoredBatch {
    const { scoresTopic, stateTopic, detector } = this.#options;
    const outputs: OutputRecord[] = [];
    const touched = new Set<string>();
    let duplicates = 0;
    let lateCount = 0;
    let invalid = 0;
    for (const { value, offset, timestampMs } of records) {
      const event = value === null ? null : this.#read(value);
      if (event === null) {
        invalid += 1;
        continue;
      }
      const { vin, seq, tsMs, values } = event;
      let car = this.#cars.get(vin);
      if (!car) {
        car = newCar(detector);
        this.#cars.set(vin, car);
      }
      const inOrder = seq > car.sequence.highest;
      if (!admit(car.sequence, seq)) {
        duplicates += 1;
        continue;
      }
      touched.add(vin);
      const { finding, late } = followCar(detector, car, this.#scratch, values, tsMs, inOrder);
      if (late) lateCount += 1;
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
    return { outputs, scored, duplicates, late: lateCount, invalid };
  }
}
