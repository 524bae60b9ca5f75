// The vehicle models on sale, as data: masses, gears, engines, batteries. Figures of the compact are fitted to the real
// drives (rpm per km/h clusters at 29.5, 35.5, 47.5); the others are an engineer's estimates of their class.

export interface BodyFacts {
  readonly id: string;
  /** Five letters of the VIN's vehicle descriptor. */
  readonly vds: string;
  readonly massKg: number;
  readonly dragAreaM2: number;
  readonly rollingCoefficient: number;
  readonly wheelRadiusM: number;
  readonly tyreColdKpa: number;
}

export interface CombustionModel extends BodyFacts {
  readonly kind: 'combustion';
  /** Gear ratios from first gear, times the final drive. */
  readonly overallRatios: readonly number[];
  readonly displacementL: number;
  readonly fullTorqueNm: number;
  readonly idleRpm: number;
  readonly thermostatC: number;
}

export interface ElectricModel extends BodyFacts {
  readonly kind: 'electric';
  readonly overallRatio: number;
  readonly packKwh: number;
  readonly cellsInSeries: number;
  readonly packOhm: number;
  readonly maxMotorNm: number;
  readonly maxMotorKw: number;
}

export type VehicleModel = CombustionModel | ElectricModel;

const geared = (final: number, ...gears: number[]) => gears.map((gear) => gear * final);

export const MODELS = [
  {
    kind: 'combustion',
    id: 'compact',
    vds: 'CMP15',
    massKg: 1250,
    dragAreaM2: 0.65,
    rollingCoefficient: 0.011,
    wheelRadiusM: 0.3,
    tyreColdKpa: 230,
    overallRatios: geared(4.1, 3.55, 1.91, 1.31, 0.97, 0.82),
    displacementL: 1.5,
    fullTorqueNm: 140,
    idleRpm: 700,
    thermostatC: 84,
  },
  {
    kind: 'combustion',
    id: 'city',
    vds: 'CTY10',
    massKg: 1020,
    dragAreaM2: 0.62,
    rollingCoefficient: 0.0115,
    wheelRadiusM: 0.285,
    tyreColdKpa: 220,
    overallRatios: geared(4.06, 3.42, 1.84, 1.29, 0.95, 0.8),
    displacementL: 1,
    fullTorqueNm: 104,
    idleRpm: 780,
    thermostatC: 85,
  },
  {
    kind: 'combustion',
    id: 'suv',
    vds: 'SUV20',
    massKg: 1640,
    dragAreaM2: 0.86,
    rollingCoefficient: 0.0125,
    wheelRadiusM: 0.34,
    tyreColdKpa: 245,
    overallRatios: geared(4.35, 3.6, 2.05, 1.37, 1.03, 0.84, 0.7),
    displacementL: 2,
    fullTorqueNm: 205,
    idleRpm: 680,
    thermostatC: 86,
  },
  {
    kind: 'electric',
    id: 'ev-compact',
    vds: 'EVC58',
    massKg: 1720,
    dragAreaM2: 0.62,
    rollingCoefficient: 0.0105,
    wheelRadiusM: 0.32,
    tyreColdKpa: 250,
    overallRatio: 9.7,
    packKwh: 58,
    cellsInSeries: 96,
    packOhm: 0.085,
    maxMotorNm: 310,
    maxMotorKw: 150,
  },
  {
    kind: 'electric',
    id: 'ev-suv',
    vds: 'EVS77',
    massKg: 2120,
    dragAreaM2: 0.74,
    rollingCoefficient: 0.011,
    wheelRadiusM: 0.35,
    tyreColdKpa: 260,
    overallRatio: 10.4,
    packKwh: 77,
    cellsInSeries: 108,
    packOhm: 0.075,
    maxMotorNm: 420,
    maxMotorKw: 210,
  },
] as const satisfies readonly VehicleModel[];

export type ModelId = (typeof MODELS)[number]['id'];
export const MODEL_IDS: readonly ModelId[] = MODELS.map((model) => model.id);

/** How people drive: limits of acceleration and braking in m/s², how fast against the flow, how restless the foot is. */
export const STYLES = {
  calm: { accelMs2: 0.95, brakeMs2: 1.3, pace: 0.93, restlessness: 0.7 },
  normal: { accelMs2: 1.3, brakeMs2: 1.7, pace: 1, restlessness: 1 },
  brisk: { accelMs2: 1.9, brakeMs2: 2.3, pace: 1.1, restlessness: 1.4 },
} as const;
export type StyleId = keyof typeof STYLES;

const VIN_VALUES: Readonly<Record<string, number>> = {
  ...Object.fromEntries([...'0123456789'].map((c, i) => [c, i])),
  ...Object.fromEntries([...'ABCDEFGH'].map((c, i) => [c, i + 1])),
  ...Object.fromEntries([...'JKLMN'].map((c, i) => [c, i + 1])),
  ...{ P: 7, R: 9 },
  ...Object.fromEntries([...'STUVWXYZ'].map((c, i) => [c, i + 2])),
};
const VIN_WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/**
 * A vehicle identification number: 17 characters, manufacturer TLT, check digit at place 9 (49 CFR 565.15).
 * `index` below 1,000,000 is the serial number.
 */
export function vinOf(model: VehicleModel, index: number): string {
  const draft = `TLT${model.vds}0T1${String(index).padStart(6, '0')}`;
  let sum = 0;
  for (let i = 0; i < 17; i += 1) sum += VIN_VALUES[draft[i]!]! * VIN_WEIGHTS[i]!;
  const check = sum % 11;
  return `${draft.slice(0, 8)}${check === 10 ? 'X' : check}${draft.slice(9)}`;
}
