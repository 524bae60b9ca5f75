// An electric car, one second at a time: power at the wheels → current → charge, voltage sag, heat. Positive current
// discharges. Regeneration returns 60 % of braking power; below 8 % of charge the car stops and charges at up to 110 kW.
import { chargeTwelveVolts, roadForceN } from './engine.ts';
import type { ElectricModel } from './models.ts';
import type { FleetState } from './state.ts';

const DRIVE_EFFICIENCY = 0.88;
const REGENERATED = 0.6;

/** Open-circuit voltage of an NMC cell over its charge 0..1: 3.30 V empty, 4.17 V full, flat in the middle. */
export function openCircuitV(charge: number): number {
  return 3.3 + 0.62 * charge + 0.25 * charge * charge * charge - 0.12 * Math.exp(-18 * charge);
}

function motion(s: FleetState, i: number, m: ElectricModel): number {
  let a = s.accelNowMs2[i]!;
  const v = s.speedMs[i]!;
  const arm = m.wheelRadiusM / (m.overallRatio * 0.96);
  let force = roadForceN(s, i, m, a);
  const most = Math.min(m.maxMotorNm / arm, (m.maxMotorKw * 1000) / Math.max(4, v));
  if (force > most) {
    a -= (force - most) / (m.massKg + s.extraMassKg[i]!);
    force = most;
  }
  s.accelNowMs2[i] = a;
  s.speedMs[i] = Math.max(0, v + a);
  s.pedal[i] = force > 0 ? Math.min(1, force / (0.75 * most)) : 0;
  const slip = 1 + s.slip[i]! * s.pedal[i]!;
  s.motorRpm[i] = ((s.speedMs[i]! * 60 * m.overallRatio) / (2 * Math.PI * m.wheelRadiusM)) * slip;
  const motorForce = force > 0 ? force : Math.max(force * REGENERATED, -0.7 * most);
  s.motorNm[i] = motorForce * arm;
  const kw = (motorForce * s.speedMs[i]!) / 1000;
  return kw > 0 ? kw / DRIVE_EFFICIENCY : kw * DRIVE_EFFICIENCY;
}

/** Charging at a column: power falls as the pack fills; over at 80 %. Returns kW, negative. */
function chargeAtColumn(s: FleetState, i: number): number {
  s.speedMs[i] = 0;
  s.accelNowMs2[i] = 0;
  s.pedal[i] = 0;
  s.motorRpm[i] = 0;
  s.motorNm[i] = 0;
  if (s.charge[i]! >= 0.8) s.charging[i] = 0;
  return -Math.min(110, 40 + 130 * (0.95 - s.charge[i]!));
}

/** One second of a running electric car; `driveStep` has set what the driver wants. */
export function electricStep(s: FleetState, i: number, m: ElectricModel): void {
  const driveKw = s.charging[i] === 1 ? chargeAtColumn(s, i) : motion(s, i, m);
  const ambient = s.ambientC[i]!;
  const cabinKw = 0.35 + Math.min(3, 0.09 * Math.abs(21 - ambient));
  const ageing = s.cellAgeing[i]!;
  const kw = (driveKw + cabinKw) * (driveKw > 0 ? 1 + 0.3 * ageing : 1);
  const cold = 1 + 0.022 * Math.max(0, 25 - s.packC[i]!);
  const ohm = m.packOhm * cold * (1 + ageing);
  const openV = m.cellsInSeries * openCircuitV(s.charge[i]!);
  // P = I·(OCV − I·R): the smaller root.
  const root = Math.max(0, openV * openV - 4 * ohm * kw * 1000);
  const amps = (openV - Math.sqrt(root)) / (2 * ohm);
  s.packA[i] = s.packA[i]! + 0.8 * (amps - s.packA[i]!);
  s.packV[i] = openV - s.packA[i]! * ohm;
  const usedKwh = (s.packA[i]! * openV) / 3_600_000;
  s.charge[i] = Math.max(0.01, Math.min(1, s.charge[i]! - usedKwh / m.packKwh));
  if (s.charge[i]! < 0.08 && s.speedMs[i] === 0) s.charging[i] = 1;
  const heatKw = (s.packA[i]! * s.packA[i]! * ohm) / 1000;
  const cooling = 0.035 * (s.packC[i]! - ambient) + (s.packC[i]! > 34 ? 0.35 * (s.packC[i]! - 34) : 0);
  s.packC[i] = s.packC[i]! + (heatKw - cooling) / 380;
  s.cellSpreadMv[i] = 7 + 0.03 * Math.abs(s.packA[i]!) * (1 + 2.2 * ageing) + 26 * ageing;
  const motorLossKw = 0.06 * Math.abs(driveKw) * (s.charging[i] === 1 ? 0 : 1);
  s.motorC[i] = s.motorC[i]! + (motorLossKw - 0.022 * (s.motorC[i]! - ambient)) / 28;
  chargeTwelveVolts(s, i, 0.2);
  const speed = s.speedMs[i]!;
  const wear = 1 + s.mountWear[i]! * Math.min(1, 0.2 + speed / 22);
  const smooth = 0.12 + 0.028 * speed + 0.00035 * Math.abs(s.motorNm[i]!);
  const road = 0.16 * Math.max(0, s.roughness[i]!) * Math.min(1, speed / 8);
  s.vibrationMs2[i] = s.vibrationGain[i]! * smooth * wear + road;
}
