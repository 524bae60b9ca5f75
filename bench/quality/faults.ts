// Faults put into the real drives, so that recall can be measured where no fault was ever logged. Every rule stands here,
// in the units of the log: fifteen kinds, moderate, many subtle: most changed readings stay in the range normal driving has.
// Magnitudes are drawn once per fault, uniformly between the bounds written in the rule. A changed reading is rounded to the
// resolution of its column, and what is random changes only when the log's clock does, so that no detector can live off
// digits that the real sensor never gives.

/** What a rule may look at and change: one row of the copy. `get` and `add` go by column name. */
interface Row {
  readonly get: (column: string) => number;
  readonly set: (column: string, value: number) => void;
  /** Reading of `lagS` seconds ago in the untouched drive. */
  readonly past: (column: string, lagS: number) => number;
  /** Reading of the untouched drive when the fault began. */
  readonly atStart: (column: string) => number;
  /** Seconds since the fault began, and its length. */
  readonly t: number;
  readonly lengthS: number;
}

/** Smallest step of a column's readings, as the log has them. */
export const RESOLUTION: Readonly<Record<string, number>> = {
  ENGINE_RPM: 0.25,
  VEHICLE_SPEED: 1,
  THROTTLE: 100 / 255,
  ENGINE_LOAD: 100 / 255,
  COOLANT_TEMPERATURE: 1,
  LONG_TERM_FUEL_TRIM_BANK_1: 0.78125,
  SHORT_TERM_FUEL_TRIM_BANK_1: 0.78125,
  INTAKE_MANIFOLD_PRESSURE: 1,
  PEDAL_D: 100 / 255,
  RELATIVE_THROTTLE_POSITION: 100 / 255,
  INTAKE_AIR_TEMP: 1,
  TIMING_ADVANCE: 1,
  CATALYST_TEMPERATURE_BANK1_SENSOR2: 0.1,
  CONTROL_MODULE_VOLTAGE: 0.01953125,
};

interface Rule {
  readonly about: string;
  /** Shortest and longest course, seconds. */
  readonly seconds: readonly [number, number];
  /** Draws the magnitudes and returns what the fault does to a row. */
  readonly make: (random: () => number) => (row: Row) => void;
  /** The fault only shows in stretches where this column moves by at least this much (max − min). */
  readonly needs?: { readonly column: string; readonly span: number };
}

export const between = (random: () => number, low: number, high: number): number =>
  low + (high - low) * random();
const ramp = (t: number, overS: number): number => Math.min(1, t / overS);
const add = (row: Row, column: string, by: number): void => row.set(column, row.get(column) + by);

/** Share of a lean leak that is felt: all at idle, none from 2,500 rpm. */
const idleShare = (rpm: number): number => Math.max(0, Math.min(1, (2500 - rpm) / 1700));

export const FAULTS: Readonly<Record<string, Rule>> = {
  'misfire-bursts': {
    about:
      'bursts of 3–8 s every 10–25 s: rpm jitters by ± 30–60, load + 3–5, short trim + 2–5; nothing between bursts',
    seconds: [120, 300],
    make: (random) => {
      const jitter = between(random, 30, 60);
      const load = between(random, 3, 5);
      const trim = between(random, 2, 5);
      const period = between(random, 13, 33);
      const burst = between(random, 3, 8);
      let drawnAt = Number.NaN;
      let now = 0;
      return (row) => {
        if (row.t % period > burst || row.get('ENGINE_RPM') < 400) return;
        if (row.t !== drawnAt) now = jitter * (2 * random() - 1);
        drawnAt = row.t;
        add(row, 'ENGINE_RPM', now);
        add(row, 'ENGINE_LOAD', load);
        add(row, 'SHORT_TERM_FUEL_TRIM_BANK_1', trim);
      };
    },
  },
  'clutch-slip': {
    about: 'rpm 6–15 % above what the gear gives while load is over 45 % and the car moves',
    seconds: [180, 420],
    needs: { column: 'ENGINE_LOAD', span: 50 },
    make: (random) => {
      const share = between(random, 0.06, 0.15);
      return (row) => {
        if (row.get('ENGINE_LOAD') > 45 && row.get('VEHICLE_SPEED') > 8)
          row.set('ENGINE_RPM', row.get('ENGINE_RPM') * (1 + share));
      };
    },
  },
  'intake-air-bias': {
    about: 'intake air reads 8–15 °C too high or too low from one moment to the next',
    seconds: [180, 420],
    make: (random) => {
      const bias = between(random, 8, 15) * (random() < 0.5 ? -1 : 1);
      return (row) => add(row, 'INTAKE_AIR_TEMP', bias);
    },
  },
  'pressure-drift': {
    about: 'manifold pressure drifts away to ± 6–14 kPa at the end',
    seconds: [240, 480],
    make: (random) => {
      const end = between(random, 6, 14) * (random() < 0.5 ? -1 : 1);
      return (row) => add(row, 'INTAKE_MANIFOLD_PRESSURE', (end * row.t) / row.lengthS);
    },
  },
  'pressure-stuck': {
    about: 'manifold pressure frozen at its last reading',
    seconds: [40, 120],
    needs: { column: 'INTAKE_MANIFOLD_PRESSURE', span: 25 },
    make: () => (row) => row.set('INTAKE_MANIFOLD_PRESSURE', row.atStart('INTAKE_MANIFOLD_PRESSURE')),
  },
  'speed-stuck': {
    about: 'vehicle speed frozen at its last reading',
    seconds: [40, 120],
    needs: { column: 'VEHICLE_SPEED', span: 20 },
    make: () => (row) => row.set('VEHICLE_SPEED', row.atStart('VEHICLE_SPEED')),
  },
  'vacuum-leak': {
    about:
      'at idle short trim + 8–16 %, long trim creeping to + 3–6 %, manifold pressure + 3–7 kPa; fades to nothing at 2,500 rpm',
    seconds: [240, 480],
    make: (random) => {
      const short = between(random, 8, 16);
      const long = between(random, 3, 6);
      const pressure = between(random, 3, 7);
      return (row) => {
        const share = idleShare(row.get('ENGINE_RPM'));
        add(row, 'SHORT_TERM_FUEL_TRIM_BANK_1', short * share * (1 - 0.5 * ramp(row.t, 180)));
        add(row, 'LONG_TERM_FUEL_TRIM_BANK_1', long * ramp(row.t, 180));
        add(row, 'INTAKE_MANIFOLD_PRESSURE', pressure * share);
      };
    },
  },
  'thermostat-open': {
    about: 'coolant falls towards 66–73 °C with a time constant of 90–150 s',
    seconds: [300, 540],
    make: (random) => {
      const floorC = between(random, 66, 73);
      const tauS = between(random, 90, 150);
      return (row) => {
        const now = row.get('COOLANT_TEMPERATURE');
        const cooled = floorC + (now - floorC) * Math.exp(-row.t / tauS);
        row.set('COOLANT_TEMPERATURE', Math.min(now, cooled));
      };
    },
  },
  overheating: {
    about: 'coolant climbs by 1.5–3 °C a minute, by 14–22 °C at most',
    seconds: [300, 540],
    make: (random) => {
      const rate = between(random, 1.5, 3) / 60;
      const most = between(random, 14, 22);
      return (row) => add(row, 'COOLANT_TEMPERATURE', Math.min(most, rate * row.t));
    },
  },
  alternator: {
    about: 'voltage sinks by 0.6–1.4 V within a minute and stays',
    seconds: [180, 420],
    make: (random) => {
      const drop = between(random, 0.6, 1.4);
      return (row) => add(row, 'CONTROL_MODULE_VOLTAGE', -drop * ramp(row.t, 60));
    },
  },
  'lean-mixture': {
    about: 'dirty air-flow meter: long trim creeps to + 7–12 %, short trim + 3–6 %, also under load',
    seconds: [240, 480],
    make: (random) => {
      const long = between(random, 7, 12);
      const short = between(random, 3, 6);
      return (row) => {
        add(row, 'LONG_TERM_FUEL_TRIM_BANK_1', long * ramp(row.t, 150));
        add(row, 'SHORT_TERM_FUEL_TRIM_BANK_1', short * ramp(row.t, 20));
      };
    },
  },
  'throttle-lag': {
    about: 'the throttle plate follows 2–4 s late',
    seconds: [120, 300],
    needs: { column: 'THROTTLE', span: 8 },
    make: (random) => {
      const lagS = between(random, 2, 4);
      return (row) => {
        row.set('THROTTLE', row.past('THROTTLE', lagS));
        row.set('RELATIVE_THROTTLE_POSITION', row.past('RELATIVE_THROTTLE_POSITION', lagS));
      };
    },
  },
  'retarded-timing': {
    about: 'ignition 6–11° later while load is over 35 %',
    seconds: [180, 420],
    needs: { column: 'ENGINE_LOAD', span: 40 },
    make: (random) => {
      const late = between(random, 6, 11);
      return (row) => {
        if (row.get('ENGINE_LOAD') > 35) add(row, 'TIMING_ADVANCE', -late);
      };
    },
  },
  'catalyst-wear': {
    about: 'the gap between the catalyst temperatures shrinks by 35–60 % within two minutes',
    seconds: [300, 540],
    make: (random) => {
      const share = between(random, 0.35, 0.6);
      return (row) => {
        const before = row.get('CATALYST_TEMPERATURE_BANK1_SENSOR1');
        const after = row.get('CATALYST_TEMPERATURE_BANK1_SENSOR2');
        row.set('CATALYST_TEMPERATURE_BANK1_SENSOR2', after + (before - after) * share * ramp(row.t, 120));
      };
    },
  },
  'pedal-offset': {
    about: 'the pedal sensor reads 2.5–5 % too much',
    seconds: [180, 420],
    make: (random) => {
      const bias = between(random, 2.5, 5);
      return (row) => add(row, 'PEDAL_D', bias);
    },
  },
};
