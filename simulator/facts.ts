// Facts by which a fleet can be told from real cars: each a number computed the same way from simulated and from real
// drives, with the difference at which the two would no longer be believed to be alike.

/** One drive at one row a second: columns by signal name of the car catalogue; NaN where missing. */
export type Drive = ReadonlyMap<string, Float64Array>;

export interface Fact {
  readonly name: string;
  readonly unit: string;
  readonly of: (drives: readonly Drive[]) => number;
  /** Largest believable difference, in the unit. */
  readonly near: number;
}

const EMPTY = new Float64Array(0);
const column = (drive: Drive, name: string) => drive.get(name) ?? EMPTY;

/** All values of a signal where `when` holds for its row. */
function values(
  drives: readonly Drive[],
  name: string,
  when: (drive: Drive, row: number) => boolean = () => true,
): number[] {
  const all: number[] = [];
  for (const drive of drives) {
    const data = column(drive, name);
    for (let row = 0; row < data.length; row += 1)
      if (!Number.isNaN(data[row]!) && when(drive, row)) all.push(data[row]!);
  }
  return all;
}

export function quantile(all: readonly number[], p: number): number {
  const sorted = Float64Array.from(all).sort();
  return sorted.length === 0 ? Number.NaN : sorted[Math.floor(p * (sorted.length - 1))]!;
}

const mean = (all: readonly number[]) => all.reduce((a, b) => a + b, 0) / all.length;
function deviation(all: readonly number[]): number {
  const m = mean(all);
  return Math.sqrt(all.reduce((sum, x) => sum + (x - m) * (x - m), 0) / all.length);
}

/** Correlation and slope of y over x from pairs. */
export function line(pairs: readonly (readonly [number, number])[]): { slope: number; correlation: number } {
  const mx = mean(pairs.map(([x]) => x));
  const my = mean(pairs.map(([, y]) => y));
  let [sxy, sxx, syy] = [0, 0, 0];
  for (const [x, y] of pairs) {
    sxy += (x - mx) * (y - my);
    sxx += (x - mx) ** 2;
    syy += (y - my) ** 2;
  }
  return { slope: sxy / sxx, correlation: sxy / Math.sqrt(sxx * syy) };
}

function pairs(drives: readonly Drive[], x: string, y: string, when: (d: Drive, row: number) => boolean) {
  const all: [number, number][] = [];
  for (const drive of drives) {
    const [a, b] = [column(drive, x), column(drive, y)];
    for (let row = 0; row < a.length; row += 1)
      if (!Number.isNaN(a[row]! + b[row]!) && when(drive, row)) all.push([a[row]!, b[row]!]);
  }
  return all;
}

/** Correlation of a signal with itself `lag` seconds before. */
function persistence(drives: readonly Drive[], name: string, lag: number): number {
  const all: [number, number][] = [];
  for (const drive of drives) {
    const data = column(drive, name);
    for (let row = lag; row < data.length; row += 1)
      if (!Number.isNaN(data[row]! + data[row - lag]!)) all.push([data[row - lag]!, data[row]!]);
  }
  return line(all).correlation;
}

const at = (drive: Drive, name: string, row: number) => column(drive, name)[row] ?? Number.NaN;
const moving = (d: Drive, row: number) => at(d, 'speedKmh', row) > 0;
const cruising = (d: Drive, row: number) => at(d, 'speedKmh', row) > 20;
const idling = (d: Drive, row: number) =>
  at(d, 'speedKmh', row) === 0 && at(d, 'engineRpm', row) > 300 && at(d, 'coolantC', row) > 80;
const warm = (_d: Drive, row: number) => row > 900;

/** The peak of the histogram of rpm per km/h in a range: a gear. */
function gearPeak(drives: readonly Drive[], low: number, high: number): number {
  const bins = new Float64Array(Math.ceil((high - low) * 2));
  for (const [speed, rpm] of pairs(drives, 'speedKmh', 'engineRpm', cruising)) {
    const bin = Math.floor((rpm / speed - low) * 2);
    if (bin >= 0 && bin < bins.length) bins[bin]! += 1;
  }
  // Over three bins, so that a ragged top does not decide; the peak is their centre of mass.
  let best = 1;
  const around = (b: number) => bins[b - 1]! + bins[b]! + bins[b + 1]!;
  for (let b = 2; b < bins.length - 1; b += 1) if (around(b) > around(best)) best = b;
  const offCentre = (bins[best + 1]! - bins[best - 1]!) / around(best);
  return low + (best + offCentre + 0.5) / 2;
}

/** Median °C a minute between 45 and 75 °C over the drives that warm up through both. */
function warmingRate(drives: readonly Drive[]): number {
  const rates = drives.flatMap((drive) => {
    const coolant = column(drive, 'coolantC');
    const from = coolant.findIndex((c) => c >= 45);
    const to = coolant.findIndex((c) => c >= 75);
    return coolant[0]! < 44 && to > from && from > 0 ? [(30 * 60) / (to - from)] : [];
  });
  return quantile(rates, 0.5);
}

/** Over two seconds: loggers seldom manage one row a second. */
function accelerations(drives: readonly Drive[]): number[] {
  return drives.flatMap((drive) => {
    const speed = column(drive, 'speedKmh');
    const all: number[] = [];
    for (let row = 2; row < speed.length; row += 1) {
      const a = (speed[row]! - speed[row - 2]!) / 7.2;
      if (!Number.isNaN(a) && speed[row]! + speed[row - 2]! > 0) all.push(a);
    }
    return all;
  });
}

const fact = (name: string, unit: string, near: number, of: Fact['of']): Fact => ({ name, unit, near, of });
const spread =
  (name: string, p: number, when?: (d: Drive, row: number) => boolean) => (drives: readonly Drive[]) =>
    quantile(values(drives, name, when), p);

export const FACTS: readonly Fact[] = [
  fact('fifth gear', 'rpm per km/h', 1, (d) => gearPeak(d, 27, 32.5)),
  fact('fourth gear', 'rpm per km/h', 1, (d) => gearPeak(d, 32.5, 40)),
  fact('third gear', 'rpm per km/h', 1.5, (d) => gearPeak(d, 42, 55)),
  fact('standing still', 'share', 0.06, (d) => mean(values(d, 'speedKmh').map((v) => (v === 0 ? 1 : 0)))),
  fact('speed when moving, lower quartile', 'km/h', 6, spread('speedKmh', 0.25, moving)),
  fact('speed when moving, median', 'km/h', 6, spread('speedKmh', 0.5, moving)),
  fact('speed when moving, upper quartile', 'km/h', 8, spread('speedKmh', 0.75, moving)),
  fact('acceleration, 95th percentile', 'm/s²', 0.35, (d) => quantile(accelerations(d), 0.95)),
  fact('braking, 5th percentile', 'm/s²', 0.4, (d) => quantile(accelerations(d), 0.05)),
  fact('engine speed, median', 'rpm', 200, spread('engineRpm', 0.5)),
  fact('engine speed, 95th percentile', 'rpm', 350, spread('engineRpm', 0.95)),
  fact('idle speed, warm', 'rpm', 80, spread('engineRpm', 0.5, idling)),
  fact('load at warm idle', '%', 5, spread('loadPct', 0.5, idling)),
  fact('load, median', '%', 7, spread('loadPct', 0.5)),
  fact('load, 95th percentile', '%', 12, spread('loadPct', 0.95)),
  fact('manifold pressure, 1st percentile', 'kPa', 5, spread('mapKpa', 0.01)),
  fact('manifold pressure, 99th percentile', 'kPa', 8, spread('mapKpa', 0.99)),
  fact(
    'manifold pressure over load, slope',
    'kPa per %',
    0.1,
    (d) => line(pairs(d, 'loadPct', 'mapKpa', cruising)).slope,
  ),
  fact(
    'manifold pressure and load, correlation',
    '',
    0.08,
    (d) => line(pairs(d, 'loadPct', 'mapKpa', cruising)).correlation,
  ),
  fact('warming up, 45 to 75 °C', '°C a minute', 3.5, warmingRate),
  fact('coolant plateau, median', '°C', 2.5, spread('coolantC', 0.5, warm)),
  fact(
    'coolant plateau, 95th less 5th',
    '°C',
    4,
    (d) => spread('coolantC', 0.95, warm)(d) - spread('coolantC', 0.05, warm)(d),
  ),
  fact('intake air, median when warm', '°C', 8, spread('intakeC', 0.5, warm)),
  fact(
    'intake air, 95th less 5th when warm',
    '°C',
    9,
    (d) => spread('intakeC', 0.95, warm)(d) - spread('intakeC', 0.05, warm)(d),
  ),
  fact('short-term trim, deviation', '%', 1.5, (d) => deviation(values(d, 'shortTrimPct'))),
  fact('short-term trim, persistence over 2 s', '', 0.15, (d) => persistence(d, 'shortTrimPct', 2)),
  fact('long-term trim, deviation', '%', 0.9, (d) => deviation(values(d, 'longTrimPct'))),
  fact('long-term trim, persistence over 2 s', '', 0.12, (d) => persistence(d, 'longTrimPct', 2)),
  fact('timing, median', '°', 5, spread('timingDeg', 0.5, moving)),
  fact(
    'timing and engine speed, correlation',
    '',
    0.25,
    (d) => line(pairs(d, 'engineRpm', 'timingDeg', cruising)).correlation,
  ),
  fact('voltage running, median', 'V', 0.2, spread('batteryV', 0.5)),
  fact(
    'voltage running, 95th less 5th',
    'V',
    0.35,
    (d) => spread('batteryV', 0.95)(d) - spread('batteryV', 0.05)(d),
  ),
  fact('engine speed, persistence over 2 s', '', 0.06, (d) => persistence(d, 'engineRpm', 2)),
  fact('load, persistence over 2 s', '', 0.15, (d) => persistence(d, 'loadPct', 2)),
];
