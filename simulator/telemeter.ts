// Turns the fleet's present second into what each car sends: its event, its ground truth, and, where the scenario asks
// for it, the same event twice or a broken payload. Pure: the same seed gives the same bytes, however a fleet is split.
import type { GroundTruth } from '../core/events.ts';
import { groundTruthTopic, mqttTopics } from '../core/topics.ts';
import { type CarTopic, carTopic, encodePublish, encodeTelemetry, payloadOf } from './encode.ts';
import type { Fleet } from './fleet.ts';
import type { Script } from './script.ts';
import { SENSOR_COUNT } from './sensors.ts';
import type { Counts } from './stats.ts';

const DRAW = { twice: 61, broken: 62 } as const;

/** Payloads as broken firmware sends them: ingest puts the first two aside, and takes the others without what is none. */
const BREAKS: readonly ((payload: Buffer) => Buffer)[] = [
  (payload) => Buffer.from(payload.subarray(0, Math.floor(payload.length / 2))),
  (payload) => Buffer.from(payload.toString().replace('"signals"', '"sinals"')),
  (payload) => Buffer.from(payload.toString().replace(/"batteryV":[^,}]+/, '"batteryV":9999')),
  (payload) => Buffer.from(payload.toString().replace('"speedKmh"', '"warpFactor"')),
];

export class Telemeter {
  readonly #fleet: Fleet;
  readonly #script: Script;
  readonly #counts: Counts;
  readonly #topics: readonly CarTopic[];
  /** Next sequence number of each car: begins at the run's event time in ms, so no restart repeats one. */
  readonly #seq: Float64Array;
  readonly #readings = new Float64Array(SENSOR_COUNT);

  constructor(fleet: Fleet, script: Script, counts: Counts) {
    this.#fleet = fleet;
    this.#script = script;
    this.#counts = counts;
    this.#topics = fleet.cars.map((car) => carTopic(car.vin));
    this.#seq = new Float64Array(fleet.size).fill(fleet.nowMs);
  }

  /** Whether the car sends in this second. */
  due(car: number): boolean {
    const second = this.#fleet.nowMs / 1000;
    const every = Math.max(1, Math.round(this.#script.everyMs / 1000));
    return (second + this.#fleet.cars[car]!.index) % every === 0 && this.#fleet.awake(car);
  }

  /** The packets of one car for this second, in order. */
  packets(car: number): Buffer[] {
    const fleet = this.#fleet;
    const { network } = fleet.scenario;
    const kinds = fleet.measure(car, this.#readings);
    const seq = this.#seq[car]!;
    this.#seq[car] = seq + 1;
    const tsMs = fleet.nowMs + fleet.cars[car]!.phaseMs + this.#script.skewMs[car]!;
    const event = encodeTelemetry(this.#topics[car]!, seq, tsMs, this.#readings, kinds);
    const packets = [event];
    const second = fleet.nowMs / 1000;
    if (network.duplicatePct > 0 && fleet.chance(car, DRAW.twice, second) * 100 < network.duplicatePct) {
      packets.push(Buffer.from(event));
      this.#counts.duplicates += 1;
    }
    if (network.malformedPct > 0) {
      const draw = fleet.chance(car, DRAW.broken, second);
      if (draw * 100 < network.malformedPct) {
        const how = BREAKS[Math.floor(draw * 1e6) % BREAKS.length]!;
        packets.push(encodePublish(mqttTopics.telemetry(fleet.cars[car]!.vin), how(payloadOf(event))));
        this.#counts.malformed += 1;
      }
    }
    return packets;
  }

  /** A ground-truth record as the car's own packet. */
  truth(record: GroundTruth): Buffer {
    this.#counts.truths += 1;
    return encodePublish(mqttTopics.groundTruth(record.vin), Buffer.from(groundTruthTopic.encode(record)));
  }
}
