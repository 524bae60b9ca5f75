// What a car's sensors show of its state: per-car gain and offset, noise, quantisation as on the bus, dropouts, and the
// sensor faults. Noise is a function of car and second alone, so reading more or less often changes nothing else.
import { hash32, mix32, noiseOf } from './random.ts';
import type { FleetState } from './state.ts';
import { gaugeKpa } from './tyres.ts';

export interface SensorSpec {
  readonly name: string;
  readonly cars: 'all' | 'combustion' | 'electric';
  /** Decimals in the payload. */
  readonly decimals: number;
  /** Quantisation step in the signal's unit. */
  readonly step: number;
  readonly noise: number;
  /** Spread between cars: share of the reading, and in units. */
  readonly gain: number;
  readonly offset: number;
  readonly min: number;
  readonly max: number;
}

type Kind = SensorSpec['cars'];
function sensor(
  name: string,
  cars: Kind,
  [decimals, step, noise]: readonly [number, number, number],
  [gain, offset]: readonly [number, number],
  [min, max]: readonly [number, number],
): SensorSpec {
  return { name, cars, decimals, step, noise, gain, offset, min, max };
}

/** In the order of the car catalogue; steps as OBD-II defines them where it does (SAE J1979: 100/255 %, 1 °C, rpm/4, 1 kPa, 0.01 g/s). */
export const SENSORS: readonly SensorSpec[] = [
  sensor('speedKmh', 'all', [0, 1, 0.2], [0.01, 0], [0, 300]),
  sensor('ambientC', 'all', [1, 0.5, 0.15], [0, 0.4], [-50, 70]),
  sensor('pedalPct', 'all', [1, 100 / 255, 0.3], [0.02, 0], [0, 100]),
  sensor('gear', 'combustion', [0, 1, 0], [0, 0], [-1, 10]),
  sensor('engineRpm', 'combustion', [2, 0.25, 6], [0.001, 0], [0, 9000]),
  sensor('throttlePct', 'combustion', [1, 100 / 255, 0.15], [0.015, 0.3], [0, 100]),
  sensor('loadPct', 'combustion', [1, 100 / 255, 1.2], [0.015, 0.3], [0, 100]),
  sensor('mapKpa', 'combustion', [0, 1, 0.5], [0.01, 0.5], [0, 255]),
  sensor('mafGs', 'combustion', [2, 0.01, 0.09], [0.02, 0], [0, 655]),
  sensor('coolantC', 'combustion', [0, 1, 0.25], [0.006, 0.5], [-40, 215]),
  sensor('oilC', 'combustion', [0, 1, 0.3], [0.006, 0.6], [-40, 215]),
  sensor('oilKpa', 'combustion', [0, 4, 4], [0.025, 3], [0, 1000]),
  sensor('intakeC', 'combustion', [0, 1, 0.25], [0.01, 0.5], [-40, 215]),
  sensor('timingDeg', 'combustion', [1, 0.5, 0.9], [0, 0.5], [-64, 63]),
  sensor('shortTrimPct', 'combustion', [2, 0.78125, 0.7], [0, 0.2], [-100, 99]),
  sensor('longTrimPct', 'combustion', [2, 0.78125, 0.1], [0, 0], [-100, 99]),
  sensor('lambda', 'combustion', [3, 0.001, 0.008], [0.002, 0], [0, 2]),
  sensor('batteryV', 'all', [2, 0.02, 0.025], [0.003, 0.03], [0, 20]),
  sensor('vibrationMs2', 'all', [3, 0.01, 0.035], [0.02, 0], [0, 100]),
  sensor('tyreFlKpa', 'all', [1, 0.5, 0.5], [0.006, 1], [0, 600]),
  sensor('tyreFrKpa', 'all', [1, 0.5, 0.5], [0.006, 1], [0, 600]),
  sensor('tyreRlKpa', 'all', [1, 0.5, 0.5], [0.006, 1], [0, 600]),
  sensor('tyreRrKpa', 'all', [1, 0.5, 0.5], [0.006, 1], [0, 600]),
  sensor('socPct', 'electric', [1, 0.1, 0.04], [0, 0.2], [0, 100]),
  sensor('packV', 'electric', [1, 0.1, 0.15], [0.002, 0.2], [0, 1000]),
  sensor('packA', 'electric', [1, 0.1, 0.5], [0.005, 0.3], [-1500, 1500]),
  sensor('packC', 'electric', [1, 0.5, 0.12], [0.004, 0.4], [-50, 120]),
  sensor('cellSpreadMv', 'electric', [0, 1, 0.7], [0.03, 0.8], [0, 2000]),
  sensor('motorRpm', 'electric', [0, 1, 4], [0.0005, 0], [-2000, 25_000]),
  sensor('motorNm', 'electric', [1, 0.5, 0.7], [0.01, 0.3], [-1500, 1500]),
  sensor('motorC', 'electric', [0, 1, 0.3], [0.006, 0.5], [-50, 250]),
];

export const SENSOR_COUNT: number = SENSORS.length;
export const sensorIndex: ReadonlyMap<string, number> = new Map(SENSORS.map((s, k) => [s.name, k]));

const indexes = (kind: 'combustion' | 'electric') =>
  Uint8Array.from(SENSORS.flatMap((s, k) => (s.cars === 'all' || s.cars === kind ? [k] : [])));
/** Which signals a car of each kind publishes. */
export const SENSORS_OF = { combustion: indexes('combustion'), electric: indexes('electric') } as const;

const K = {
  step: Float64Array.from(SENSORS, (s) => s.step),
  noise: Float64Array.from(SENSORS, (s) => s.noise),
  min: Float64Array.from(SENSORS, (s) => s.min),
  max: Float64Array.from(SENSORS, (s) => s.max),
};

/** One in this many readings is missing. */
const DROPOUT_ONE_IN = 400;

/** Sensor gains and offsets of `n` cars, fixed at their build. */
export class SensorBuilds {
  readonly gain: Float64Array;
  readonly offset: Float64Array;

  constructor(n: number) {
    this.gain = new Float64Array(n * SENSOR_COUNT).fill(1);
    this.offset = new Float64Array(n * SENSOR_COUNT);
  }

  build(i: number, seed: number, car: number): void {
    SENSORS.forEach((spec, k) => {
      this.gain[i * SENSOR_COUNT + k] = 1 + spec.gain * noiseOf(hash32(seed, car, 100 + k));
      this.offset[i * SENSOR_COUNT + k] = spec.offset * noiseOf(hash32(seed, car, 200 + k));
    });
  }
}

/** The true values behind every signal, in catalogue order; those the car does not have are left untouched. */
export function truthInto(s: FleetState, i: number, electric: boolean, out: Float64Array): void {
  const firmware = s.firmwareShift[i]!;
  out[0] = s.speedMs[i]! * 3.6;
  out[1] = s.ambientC[i]!;
  out[2] = s.pedal[i]! * 100;
  out[17] = s.batteryV[i]!;
  out[18] = s.vibrationMs2[i]!;
  const tyreC = s.tyreC[i]!;
  out[19] = gaugeKpa(s.tyreFl[i]!, tyreC);
  out[20] = gaugeKpa(s.tyreFr[i]!, tyreC);
  out[21] = gaugeKpa(s.tyreRl[i]!, tyreC);
  out[22] = gaugeKpa(s.tyreRr[i]!, tyreC);
  if (electric) {
    out[23] = s.charge[i]! * 100;
    out[24] = s.packV[i]!;
    out[25] = s.packA[i]!;
    out[26] = s.packC[i]! + 5 * firmware;
    out[27] = s.cellSpreadMv[i]!;
    out[28] = s.motorRpm[i]!;
    out[29] = s.motorNm[i]!;
    out[30] = s.motorC[i]! + 14 * firmware;
    return;
  }
  out[3] = s.gear[i]!;
  out[4] = s.rpm[i]!;
  out[5] = s.throttlePct[i]!;
  out[6] = s.loadPct[i]!;
  out[7] = s.mapKpa[i]!;
  out[8] = s.mafGs[i]!;
  out[9] = s.coolantC[i]!;
  out[10] = s.oilC[i]!;
  out[11] = s.oilKpa[i]!;
  out[12] = s.intakeC[i]! + 9 * firmware;
  out[13] = s.timingDeg[i]! - 8 * firmware;
  out[14] = s.shortTrimPct[i]!;
  out[15] = s.longTrimPct[i]!;
  out[16] = s.lambda[i]!;
}

/**
 * The readings of slot `i` at a second: NaN where a reading dropped out. `build` is the slot whose gains apply (a shadow
 * shares its car's). Readings keep to the sensor's range.
 */
export function measureInto(
  s: FleetState,
  i: number,
  electric: boolean,
  builds: SensorBuilds,
  build: number,
  second: number,
  out: Float64Array,
): void {
  truthInto(s, i, electric, out);
  if (s.bias[i] !== 0) scale(out, s.biasSignal[i]!, s.bias[i]!);
  if (s.drift[i] !== 0) scale(out, s.driftSignal[i]!, s.drift[i]!);
  const kinds = electric ? SENSORS_OF.electric : SENSORS_OF.combustion;
  let bits = mix32(s.sensorSeed[i]! ^ Math.imul(second, 0x9e3779b1));
  const base = build * SENSOR_COUNT;
  for (let n = 0; n < kinds.length; n += 1) {
    const k = kinds[n]!;
    bits = mix32(bits + 0x6d2b79f5);
    const raw = out[k]! * builds.gain[base + k]! + builds.offset[base + k]! + K.noise[k]! * noiseOf(bits);
    const step = K.step[k]!;
    const shown = Math.round(raw / step) * step;
    out[k] = shown < K.min[k]! ? K.min[k]! : shown > K.max[k]! ? K.max[k]! : shown;
  }
  const drop = mix32(bits ^ 0x51ed270b) % DROPOUT_ONE_IN;
  if (drop < kinds.length) out[kinds[drop]!] = Number.NaN;
  holdStuck(s, i, out);
}

/** A sensor that is off by a share of its reading (and of 10 units, so that it shows at zero too). */
function scale(out: Float64Array, k: number, share: number): void {
  out[k] = out[k]! + share * Math.max(10, Math.abs(out[k]!));
}

function holdStuck(s: FleetState, i: number, out: Float64Array): void {
  if (s.stuck[i] === 0) {
    s.heldReading[i] = Number.NaN;
    return;
  }
  const k = s.stuckSignal[i]!;
  if (Number.isNaN(s.heldReading[i]!)) s.heldReading[i] = out[k]!;
  out[k] = s.heldReading[i]!;
}
