// A model trained once, and every raw statistic of every row: of its history as judged by what had not seen it, and of the rows that
// it is tried on. What comes after (scales, threshold, alerts) can then be done again with something left out, in seconds.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Catalogue } from '../../core/catalogue.ts';
import type { Backend } from '../../core/model/backend.ts';
import type { BundleContent } from '../../core/model/bundle.ts';
import { sealBundle } from '../../core/model/bundle.ts';
import { createDetector, type Detector } from '../../core/model/detector.ts';
import type { Held } from '../../training/calibrate/alert-budget.ts';
import type { HeldOutRows } from '../../training/calibrate/held-out.ts';
import { onOneScale } from '../../training/calibrate/one-scale.ts';
import { fitParts } from '../../training/calibrate/train-model.ts';
import type { Series } from '../../training/data/series.ts';
import type { Parts, TrainInput } from '../../training/fit/ground.ts';

/** An alert must rise in rows [from, to); how late it is counts from `visible`. */
export interface TriedFault {
  readonly kind: string;
  readonly from: number;
  readonly visible: number;
  readonly to: number;
}

/** Rows with what was the matter with them. */
export interface Trial {
  readonly series: Series;
  /** 1 where the row is faulty. */
  readonly labels: Uint8Array;
  readonly faults: readonly TriedFault[];
  /** Whether its rows are ranked. */
  readonly ranked: boolean;
  /** Whether every alert is a false one. */
  readonly whole: boolean;
}

export interface RecordedTrial extends Trial, HeldOutRows {
  /** 1 where something of the car was lost. */
  readonly lost: Uint8Array;
}

export interface Recording {
  readonly name: string;
  readonly statistics: readonly string[];
  /** What was fitted, and what became of it with nothing left out. */
  readonly parts: Parts;
  readonly content: BundleContent;
  readonly held: Held;
  readonly trials: readonly RecordedTrial[];
  /** CPU seconds of fitting. */
  readonly fitS: number;
}

export interface Plan {
  readonly name: string;
  readonly train: Omit<TrainInput, 'backend' | 'signal' | 'catalogue'>;
  readonly catalogue: Catalogue;
  /** Made after the training, so that they need no room while it lasts. */
  readonly trials: () => readonly Trial[];
}

/** What is left to know of rows whose statistics are known. */
const withoutValues = ({ id, tsMs }: Series): Series => ({ id, tsMs, values: new Float32Array(0) });

/** The statistics of a trial's rows. */
function follow(detector: Detector, { series, ...known }: Trial): RecordedTrial {
  const width = detector.bundle.catalogue.signals.length;
  const count = detector.statistics.length;
  const n = series.tsMs.length;
  const raw = new Float64Array(n * count);
  const lost = new Uint8Array(n);
  const state = detector.newState();
  for (let i = 0; i < n; i += 1) {
    const found = detector.step(state, series.values, series.tsMs[i]!, i * width);
    raw.set(found.raw, i * count);
    lost[i] = found.lost.length > 0 ? 1 : 0;
  }
  return { series: withoutValues(series), raw, lost, ...known };
}

/** Trains by the plan and follows its trials. */
export async function record({ name, train, catalogue, trials }: Plan, backend: Backend): Promise<Recording> {
  const signal = new AbortController().signal;
  const before = process.cpuUsage();
  const { ground, fitted } = await fitParts({ ...train, catalogue, backend, signal });
  const used = process.cpuUsage(before);
  fitted.model.dispose();
  const held: Held = { ground, judged: fitted.judged, alertsPerHour: train.alertsPerHour };
  const card = { seed: train.seed, backend: '', rows: 0, cars: 0, hours: 0, train: {} };
  const { content } = onOneScale(held, fitted.parts, card);
  const detector = createDetector(sealBundle(content));
  const places = new Map(train.series.map(({ id }) => [id, ground.variantOf(id)]));
  const judged: HeldOutRows[] = fitted.judged.map(({ series, raw }) => ({
    series: withoutValues(series),
    raw,
  }));
  return {
    name,
    statistics: detector.statistics,
    parts: fitted.parts,
    content,
    held: {
      alertsPerHour: train.alertsPerHour,
      judged,
      ground: {
        ...ground,
        prepared: {
          ...ground.prepared,
          features: new Float32Array(0),
          present: new Uint8Array(0),
          reconstruction: new Float32Array(0),
          losses: new Map(),
        },
        variantOf: (car) => places.get(car) ?? 0,
      },
    },
    trials: trials().map((trial) => follow(detector, trial)),
    fitS: (used.user + used.system) / 1e6,
  };
}

/** A recording kept in a folder, or made and kept there; without a folder it is made. */
export async function recordingOf(plan: Plan, backend: Backend, folder: string | null): Promise<Recording> {
  if (folder === null) return record(plan, backend);
  const file = join(folder, `${plan.name}.bin`);
  if (existsSync(file)) {
    const { held, places, ...kept } = deserialize(readFileSync(file));
    const known = new Map<string, number>(places);
    const variantOf = (car: string) => known.get(car) ?? 0;
    return { ...kept, held: { ...held, ground: { ...held.ground, variantOf } } };
  }
  const made = await record(plan, backend);
  const { variantOf, ...ground } = made.held.ground;
  const places = plan.train.series.map(({ id }) => [id, variantOf(id)]);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, serialize({ ...made, held: { ...made.held, ground }, places }));
  return made;
}
