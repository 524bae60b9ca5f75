// The fleet's state as a struct of arrays: one column per quantity, one slot per car. Slots past the cars are shadows:
// the same car without one of its faults, stepped beside it to tell from when the fault can be seen.
import type { StreamColumns } from './random.ts';

const f64 = (n: number) => new Float64Array(n);

/** Columns; units last. Everything the next second depends on is here, so copying a slot copies a car. */
export class FleetState implements StreamColumns {
  capacity: number;
  // build
  state: Uint32Array;
  gamma: Uint32Array;
  /** Seed of the car's sensors; noise is a function of it and the second. */
  sensorSeed: Uint32Array;
  model: Uint8Array;
  road: Uint8Array;
  accelMs2: Float64Array;
  brakeMs2: Float64Array;
  pace: Float64Array;
  restlessness: Float64Array;
  ambientOffsetC: Float64Array;
  trimBasePct: Float64Array;
  regulatorV: Float64Array;
  vibrationGain: Float64Array;
  // use
  /** 1 while the ignition is on. */
  ignition: Uint8Array;
  tripLeftS: Float64Array;
  context: Uint8Array;
  contextLeftS: Float64Array;
  segmentLeftS: Float64Array;
  targetMs: Float64Array;
  wander: Float64Array;
  grade: Float64Array;
  roughness: Float64Array;
  speedLimitFactor: Float64Array;
  extraMassKg: Float64Array;
  extraGrade: Float64Array;
  extraAmbientC: Float64Array;
  // motion
  speedMs: Float64Array;
  accelNowMs2: Float64Array;
  pedal: Float64Array;
  ambientC: Float64Array;
  gear: Int8Array;
  rpm: Float64Array;
  slipShare: Float64Array;
  fill: Float64Array;
  mapKpa: Float64Array;
  loadPct: Float64Array;
  mafGs: Float64Array;
  throttlePct: Float64Array;
  timingDeg: Float64Array;
  coolantC: Float64Array;
  fan: Uint8Array;
  oilC: Float64Array;
  oilKpa: Float64Array;
  intakeC: Float64Array;
  shortTrimPct: Float64Array;
  trimIdlePct: Float64Array;
  trimDrivePct: Float64Array;
  longTrimPct: Float64Array;
  trimWaver: Float64Array;
  lambda: Float64Array;
  batteryCharge: Float64Array;
  batteryWaver: Float64Array;
  batteryV: Float64Array;
  vibrationMs2: Float64Array;
  tyreC: Float64Array;
  /** Air in each tyre as absolute kPa at 293 K. */
  tyreFl: Float64Array;
  tyreFr: Float64Array;
  tyreRl: Float64Array;
  tyreRr: Float64Array;
  // electric
  charge: Float64Array;
  charging: Uint8Array;
  packV: Float64Array;
  packA: Float64Array;
  packC: Float64Array;
  cellSpreadMv: Float64Array;
  motorRpm: Float64Array;
  motorNm: Float64Array;
  motorC: Float64Array;
  // faults: present strength in natural units, 0 without the fault
  leakGs: Float64Array;
  mafLoss: Float64Array;
  thermostatFloor: Float64Array;
  coolingLoss: Float64Array;
  alternatorLoss: Float64Array;
  misfire: Float64Array;
  leakKpaS: Float64Array;
  burstShareS: Float64Array;
  wheel: Uint8Array;
  oilLoss: Float64Array;
  slip: Float64Array;
  stuck: Float64Array;
  stuckSignal: Uint8Array;
  bias: Float64Array;
  biasSignal: Uint8Array;
  drift: Float64Array;
  driftSignal: Uint8Array;
  cellAgeing: Float64Array;
  mountWear: Float64Array;
  firmwareShift: Float64Array;
  /** What the stuck sensor shows; NaN while it moves. */
  heldReading: Float64Array;

  constructor(capacity: number) {
    const n = capacity;
    this.capacity = n;
    this.state = new Uint32Array(n);
    this.gamma = new Uint32Array(n);
    this.sensorSeed = new Uint32Array(n);
    this.model = new Uint8Array(n);
    this.road = new Uint8Array(n);
    this.accelMs2 = f64(n);
    this.brakeMs2 = f64(n);
    this.pace = f64(n);
    this.restlessness = f64(n);
    this.ambientOffsetC = f64(n);
    this.trimBasePct = f64(n);
    this.regulatorV = f64(n);
    this.vibrationGain = f64(n);
    this.ignition = new Uint8Array(n);
    this.tripLeftS = f64(n);
    this.context = new Uint8Array(n);
    this.contextLeftS = f64(n);
    this.segmentLeftS = f64(n);
    this.targetMs = f64(n);
    this.wander = f64(n);
    this.grade = f64(n);
    this.roughness = f64(n);
    this.speedLimitFactor = f64(n);
    this.extraMassKg = f64(n);
    this.extraGrade = f64(n);
    this.extraAmbientC = f64(n);
    this.speedMs = f64(n);
    this.accelNowMs2 = f64(n);
    this.pedal = f64(n);
    this.ambientC = f64(n);
    this.gear = new Int8Array(n);
    this.rpm = f64(n);
    this.slipShare = f64(n);
    this.fill = f64(n);
    this.mapKpa = f64(n);
    this.loadPct = f64(n);
    this.mafGs = f64(n);
    this.throttlePct = f64(n);
    this.timingDeg = f64(n);
    this.coolantC = f64(n);
    this.fan = new Uint8Array(n);
    this.oilC = f64(n);
    this.oilKpa = f64(n);
    this.intakeC = f64(n);
    this.shortTrimPct = f64(n);
    this.trimIdlePct = f64(n);
    this.trimDrivePct = f64(n);
    this.longTrimPct = f64(n);
    this.trimWaver = f64(n);
    this.lambda = f64(n);
    this.batteryCharge = f64(n);
    this.batteryWaver = f64(n);
    this.batteryV = f64(n);
    this.vibrationMs2 = f64(n);
    this.tyreC = f64(n);
    this.tyreFl = f64(n);
    this.tyreFr = f64(n);
    this.tyreRl = f64(n);
    this.tyreRr = f64(n);
    this.charge = f64(n);
    this.charging = new Uint8Array(n);
    this.packV = f64(n);
    this.packA = f64(n);
    this.packC = f64(n);
    this.cellSpreadMv = f64(n);
    this.motorRpm = f64(n);
    this.motorNm = f64(n);
    this.motorC = f64(n);
    this.leakGs = f64(n);
    this.mafLoss = f64(n);
    this.thermostatFloor = f64(n);
    this.coolingLoss = f64(n);
    this.alternatorLoss = f64(n);
    this.misfire = f64(n);
    this.leakKpaS = f64(n);
    this.burstShareS = f64(n);
    this.wheel = new Uint8Array(n);
    this.oilLoss = f64(n);
    this.slip = f64(n);
    this.stuck = f64(n);
    this.stuckSignal = new Uint8Array(n);
    this.bias = f64(n);
    this.biasSignal = new Uint8Array(n);
    this.drift = f64(n);
    this.driftSignal = new Uint8Array(n);
    this.cellAgeing = f64(n);
    this.mountWear = f64(n);
    this.firmwareShift = f64(n);
    this.heldReading = f64(n).fill(Number.NaN);
  }
}

type Column = Float64Array | Uint32Array | Uint8Array | Int8Array;

function columns(state: FleetState): [keyof FleetState, Column][] {
  return Object.entries(state).filter(([, value]) => ArrayBuffer.isView(value)) as [
    keyof FleetState,
    Column,
  ][];
}

/** Copies everything of slot `from` into slot `to`. */
export function copySlot(state: FleetState, from: number, to: number): void {
  for (const [, column] of columns(state)) column[to] = column[from]!;
}

/** The same state with room for `capacity` slots. */
export function growState(state: FleetState, capacity: number): FleetState {
  const grown = new FleetState(capacity);
  const targets = new Map(columns(grown));
  for (const [name, column] of columns(state)) targets.get(name)!.set(column as never);
  return grown;
}
