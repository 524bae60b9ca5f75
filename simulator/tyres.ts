// Four tyres: absolute pressure goes with the air inside and its absolute temperature; rolling warms them by some 20 K,
// which is the 2–4 psi of everyday experience; a healthy tyre loses about 1.2 psi a month.
import type { FleetState } from './state.ts';

const ATMOSPHERE_KPA = 101.3;
/** 1.2 psi in 30 days, kPa a second. */
const SEEPAGE_KPA_S = (1.2 * 6.895) / (30 * 86_400);

export const WHEELS = ['tyreFl', 'tyreFr', 'tyreRl', 'tyreRr'] as const;

/** Gauge pressure in kPa of `air` (absolute kPa at 293 K) at a temperature in °C. */
export function gaugeKpa(air: number, tyreC: number): number {
  return Math.max(0, (air * (tyreC + 273.15)) / 293.15 - ATMOSPHERE_KPA);
}

/** Air in a tyre that shows `coldKpa` at 20 °C. */
export const airOf = (coldKpa: number): number => coldKpa + ATMOSPHERE_KPA;

/** One second of four tyres, driving or parked. */
export function tyreStep(s: FleetState, i: number): void {
  const goal = s.ambientC[i]! + Math.min(24, 1.05 * s.speedMs[i]!);
  s.tyreC[i] = s.tyreC[i]! + (goal - s.tyreC[i]!) / 620;
  s.tyreFl[i]! -= SEEPAGE_KPA_S;
  s.tyreFr[i]! -= SEEPAGE_KPA_S;
  s.tyreRl[i]! -= SEEPAGE_KPA_S;
  s.tyreRr[i]! -= SEEPAGE_KPA_S;
  if (s.leakKpaS[i] === 0 && s.burstShareS[i] === 0) return;
  const column = s[WHEELS[s.wheel[i]!]!];
  const over = column[i]! - ATMOSPHERE_KPA;
  column[i] = ATMOSPHERE_KPA + Math.max(0, over * (1 - s.burstShareS[i]!) - s.leakKpaS[i]!);
}
