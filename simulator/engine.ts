// A combustion car, one second at a time: forces → gear and revs → torque → air, fuel, heat, oil, charging, trims.
// A pure function of the car's columns: it reads no clock and takes its random numbers from the car's own stream.
// Formulas: longitudinal road load and speed-density air flow as in any text on engine control (e.g. Guzzella & Onder,
// Introduction to Modeling and Control of Internal Combustion Engine Systems); constants fitted to the real drives.
import type { CombustionModel } from './models.ts';
import { nextNoise } from './random.ts';
import type { FleetState } from './state.ts';

const AIR_DENSITY = 1.2;
const GRAVITY = 9.81;
const BARO_KPA = 100;
const DRIVELINE = 0.92;
/** kJ in a gram of petrol, and grams of air it burns with. */
const FUEL_KJ_G = 44;
const AIR_PER_FUEL = 14.7;
const COOLANT_KJ_K = 31;

/** Force at the wheels in N that acceleration `a` needs at speed `v`. */
export function roadForceN(
  s: FleetState,
  i: number,
  m: { massKg: number; dragAreaM2: number; rollingCoefficient: number },
  a: number,
) {
  const v = s.speedMs[i]!;
  const massKg = m.massKg + s.extraMassKg[i]!;
  const rolling = v > 0.1 ? m.rollingCoefficient * massKg * GRAVITY : 0;
  const slope = v > 0.1 ? massKg * GRAVITY * (s.grade[i]! + s.extraGrade[i]!) : 0;
  return massKg * a + 0.5 * AIR_DENSITY * m.dragAreaM2 * v * v + rolling + slope;
}

/** Torque in Nm the engine gives at full throttle: a hump with its top near 3,800 rpm. */
function fullTorqueNm(m: CombustionModel, rpm: number): number {
  const x = (rpm - 3800) / 3800;
  return m.fullTorqueNm * Math.max(0.55, 1 - 0.42 * x * x);
}

function shift(s: FleetState, i: number, m: CombustionModel): void {
  const v = s.speedMs[i]!;
  if (v < 0.4 && s.targetMs[i] === 0) {
    s.gear[i] = 0;
    return;
  }
  const gear = Math.max(1, s.gear[i]!);
  const rpm = rpmInGear(m, gear, v);
  const demand = s.pedal[i]!;
  if (rpm > 1540 + 60 * gear + 2400 * demand && gear < m.overallRatios.length) s.gear[i] = gear + 1;
  else if (rpm < 1000 + 380 * demand && gear > 1 && rpmInGear(m, gear - 1, v) < 1500 + 2200 * demand)
    s.gear[i] = gear - 1;
  else s.gear[i] = gear;
}

/** Revolutions a minute that wheel speed `v` (m/s) gives in a gear (1 = first). */
export function rpmInGear(m: CombustionModel, gear: number, v: number): number {
  return (v * 60 * m.overallRatios[gear - 1]!) / (2 * Math.PI * m.wheelRadiusM);
}

/** Revs, brake torque and the speed reached; sets pedal, gear, rpm, fill (share of full torque) and returns the torque's sign. */
function drive(s: FleetState, i: number, m: CombustionModel): void {
  shift(s, i, m);
  const gear = s.gear[i]!;
  const idle = m.idleRpm + Math.max(0, 4.5 * (62 - s.coolantC[i]!)) * 0.9;
  const ratio = gear > 0 ? m.overallRatios[gear - 1]! : 0;
  const wheelRpm = gear > 0 ? rpmInGear(m, gear, s.speedMs[i]!) : 0;
  const slipping = s.slip[i]! * Math.min(1, 0.25 + 1.2 * s.pedal[i]!);
  s.slipShare[i] = wheelRpm > 0 ? slipping : 0;
  const full = fullTorqueNm(m, Math.max(s.rpm[i]!, idle));
  const frictionNm = 7.5 + 0.003 * s.rpm[i]! + 0.1 * Math.max(0, 60 - s.oilC[i]!);
  let a = s.accelNowMs2[i]!;
  let torque = 0;
  if (gear > 0) {
    const arm = m.wheelRadiusM / (ratio * DRIVELINE);
    torque = roadForceN(s, i, m, a) * arm;
    const limit = (full - frictionNm) * (1 - 1.6 * slipping);
    if (torque > limit) {
      a -= (torque - limit) / arm / (m.massKg + s.extraMassKg[i]!);
      torque = limit;
    }
  }
  s.accelNowMs2[i] = a;
  s.speedMs[i] = Math.max(0, s.speedMs[i]! + a);
  const overrun = torque < -4;
  s.pedal[i] = torque > 0 ? Math.min(1, torque / full) : 0;
  const launch = gear === 1 && torque > 0 ? idle + 350 + 900 * s.pedal[i]! : idle;
  const goal = Math.max(launch, wheelRpm * (1 + s.slipShare[i]!));
  const bucking = s.misfire[i]! * 36;
  // Three draws of the year's worth: idle hunting and the misfire's jitter share one.
  const jitter = (overrun ? 4 : 9) + bucking;
  s.rpm[i] = s.rpm[i]! + 0.75 * (goal - s.rpm[i]!) + jitter * nextNoise(s, i);
  const indicated = (overrun ? 2 : frictionNm + 4 + Math.max(0, torque)) + s.misfire[i]! * 0.05 * full;
  const goalFill = Math.min(1, indicated / full);
  s.fill[i] = s.fill[i]! + 0.8 * (goalFill - s.fill[i]!);
}

/** Pressure, air, throttle, timing. Speed density: MAF[g/s] = VE·(Vd/2)·(rpm/60)·MAP/(0.287·T). */
function breathe(s: FleetState, i: number, m: CombustionModel): void {
  const fill = s.fill[i]!;
  const rpm = Math.max(300, s.rpm[i]!);
  const cleanKpa = BARO_KPA * (0.178 + 0.81 * fill);
  const efficiency = 0.76 + 0.16 * (1 - ((rpm - 3800) / 4200) ** 2);
  const perKpa = (efficiency * m.displacementL * rpm) / (2 * 60 * 0.287 * (s.intakeC[i]! + 273));
  const airGs = perKpa * cleanKpa;
  // A leak behind the throttle is choked while the manifold is deep: it adds air that the MAF sensor has not seen.
  const choke = cleanKpa < 53 ? 1 : Math.sqrt(Math.max(0, 1 - ((cleanKpa - 53) / 47) ** 2));
  const leakGs = s.leakGs[i]! * choke;
  const raisedKpa = Math.min(9, (leakGs / perKpa) * 0.6);
  s.mapKpa[i] = Math.min(BARO_KPA + 1, cleanKpa + raisedKpa);
  // Computed load is an average over strokes and trails the pressure.
  const load = 0.18 * s.loadPct[i]! + (0.82 * (cleanKpa + 0.4 * raisedKpa - 2.7)) / 0.945;
  s.loadPct[i] = Math.min(100, Math.max(0, load));
  s.mafGs[i] = airGs * (1 - s.mafLoss[i]!);
  // Sub-critical flow narrows as the manifold fills; area is flow over that.
  const flow = cleanKpa < 53 ? 1 : Math.max(0.22, Math.sqrt(Math.max(0, 1 - ((cleanKpa - 53) / 47) ** 2)));
  const area = airGs / (flow * 46 * m.displacementL * 4.6);
  s.throttlePct[i] = Math.min(82, 15.4 + 66 * Math.min(1, area) ** 0.72);
  const knock = 0.14 * (s.loadPct[i]! - 30);
  const spread = 0.0175 * (rpm - 800);
  const goal = s.fill[i]! < 0.06 ? 14 + 0.004 * rpm : 1 + spread - knock;
  s.timingDeg[i] = Math.max(-24, Math.min(42, s.timingDeg[i]! + 0.7 * (goal - s.timingDeg[i]!)));
}

/** Closed-loop fuel: two learnt cells (idle, driving), a quick short-term trim, lambda from what neither covers yet. */
function trimFuel(s: FleetState, i: number, airGs: number): void {
  const noise = nextNoise(s, i);
  const slow = nextNoise(s, i);
  const leakPct = (100 * s.leakGs[i]! * (s.mapKpa[i]! < 60 ? 1 : 0.5)) / Math.max(1.2, airGs);
  const mafPct = 100 * (1 / (1 - s.mafLoss[i]!) - 1);
  const need = s.trimBasePct[i]! + Math.min(32, leakPct + mafPct + 5 * s.misfire[i]!);
  s.trimWaver[i] = 0.62 * s.trimWaver[i]! + 2.5 * noise;
  const idle = s.speedMs[i]! < 0.5 || s.fill[i]! < 0.1;
  const learnt = idle ? s.trimIdlePct : s.trimDrivePct;
  const warm = s.coolantC[i]! > 60;
  s.longTrimPct[i] = learnt[i]!;
  const gap = need - learnt[i]!;
  const short = Math.max(-26, Math.min(26, gap + s.trimWaver[i]!));
  if (warm) learnt[i] = Math.max(-20, Math.min(20, learnt[i]! + 0.006 * gap + 0.045 * slow));
  const before = s.shortTrimPct[i]!;
  s.shortTrimPct[i] = before + 0.8 * (short - before);
  const rich = s.loadPct[i]! > 92 ? -0.1 : warm ? 0 : -0.0009 * (60 - s.coolantC[i]!);
  const lag = Math.max(-12, Math.min(12, short - s.shortTrimPct[i]!));
  s.lambda[i] = 1 + rich + 0.004 * lag + 0.05 * s.misfire[i]!;
}

/** Coolant: C·dT/dt = 0.3·Pfuel − hA·(T−Ta) − θ(T)·(k0 + k1·v + kfan)·(T−Ta); thermostat opens over 11 K, fan 98/94 °C. */
function heat(s: FleetState, i: number, m: CombustionModel, airGs: number): void {
  const fuelKw = (airGs / AIR_PER_FUEL) * FUEL_KJ_G;
  const coolant = s.coolantC[i]!;
  const above = coolant - s.ambientC[i]!;
  const opening = Math.max(0, Math.min(1, (coolant - m.thermostatC) / 11));
  const open = Math.max(opening, s.thermostatFloor[i]!);
  if (coolant > 98) s.fan[i] = 1;
  else if (coolant < 94) s.fan[i] = 0;
  const radiator = (0.06 + 0.019 * s.speedMs[i]! + 0.32 * s.fan[i]!) * (1 - s.coolingLoss[i]!);
  const boiling = Math.max(0, coolant - 113) * 2.8;
  const gained = 0.29 * fuelKw + 0.35 + 0.6 * (m.displacementL - 1) * 0.3;
  const kw = gained - 0.012 * above - open * radiator * above - boiling;
  s.coolantC[i] = coolant + kw / COOLANT_KJ_K / (0.75 + 0.17 * m.displacementL);
  const oilGoal = coolant + 4 + 0.11 * s.loadPct[i]! + 14 * s.oilLoss[i]!;
  s.oilC[i] = s.oilC[i]! + (oilGoal - s.oilC[i]!) / 300;
  const thin = Math.exp(-0.0115 * (s.oilC[i]! - 95));
  const pumped = (38 + 0.105 * s.rpm[i]!) * Math.min(2.6, thin);
  const relieved = pumped > 430 ? 430 + 0.28 * (pumped - 430) : pumped;
  const hotIdle = Math.max(0, 1 - s.rpm[i]! / 3500) * Math.max(0, Math.min(1, (s.oilC[i]! - 40) / 45));
  s.oilKpa[i] = relieved * (1 - s.oilLoss[i]! * (0.55 + 0.45 * hotIdle));
  const soak = (6 + 17 * Math.exp(-s.speedMs[i]! / 9)) * Math.max(0, Math.min(1, (coolant - 25) / 60));
  s.intakeC[i] = s.intakeC[i]! + (s.ambientC[i]! + soak - s.intakeC[i]!) / 110;
}

/** 12 V system: a regulated alternator over a battery; without it the battery sags and empties (30 A from 45 Ah). */
export function chargeTwelveVolts(s: FleetState, i: number, loadShare: number): void {
  s.batteryWaver[i] = 0.93 * s.batteryWaver[i]! + 0.055 * nextNoise(s, i);
  const loss = s.alternatorLoss[i]!;
  const charge = s.batteryCharge[i]!;
  const regulated = s.regulatorV[i]! - 0.006 * (s.ambientC[i]! - 20) - 0.12 * loadShare;
  const discharging = 11.75 + 0.95 * charge - 0.3;
  const goal = regulated + loss * (discharging - regulated) + s.batteryWaver[i]!;
  s.batteryV[i] = s.batteryV[i]! + 0.6 * (goal - s.batteryV[i]!);
  const amps = loss > 0.3 ? -30 * loss : 12 * (1 - charge);
  s.batteryCharge[i] = Math.max(0.02, Math.min(1, charge + amps / 162_000));
}

/** One second of a running combustion car; `driveStep` has set what the driver wants. */
export function combustionStep(s: FleetState, i: number, m: CombustionModel): void {
  drive(s, i, m);
  breathe(s, i, m);
  const airGs = s.mafGs[i]! / (1 - s.mafLoss[i]!);
  trimFuel(s, i, airGs);
  heat(s, i, m, airGs);
  chargeTwelveVolts(s, i, s.rpm[i]! < 900 ? 1 : 0.3);
  const rpm = s.rpm[i]!;
  const wear = 1 + s.mountWear[i]! * Math.min(1, 0.35 + rpm / 3500);
  const smooth = 0.32 + 0.00042 * rpm + 0.006 * s.loadPct[i]! + 0.026 * s.speedMs[i]!;
  const road = 0.16 * Math.max(0, s.roughness[i]!) * Math.min(1, s.speedMs[i]! / 8);
  s.vibrationMs2[i] = s.vibrationGain[i]! * smooth * wear * (1 + 0.62 * s.misfire[i]!) + road;
}

/** A parked car cools: coolant with a time constant of about 75 minutes, oil and intake with it. */
export function restStep(s: FleetState, i: number): void {
  const ambient = s.ambientC[i]!;
  s.coolantC[i]! -= (s.coolantC[i]! - ambient) / 4500;
  s.oilC[i]! -= (s.oilC[i]! - ambient) / 5400;
  s.intakeC[i]! -= (s.intakeC[i]! - ambient) / 1500;
  s.packC[i]! -= (s.packC[i]! - ambient) / 14_000;
  s.motorC[i]! -= (s.motorC[i]! - ambient) / 3600;
  s.rpm[i] = 0;
  s.speedMs[i] = 0;
  s.fan[i] = 0;
}
