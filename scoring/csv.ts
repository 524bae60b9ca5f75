// A recording scored: one row out for each row in, in their order, by the detector, the lateness rules and the hysteresis of
// the stream. The header is a contract: id,timestamp,score,threshold,alert,top1,top2.

import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { messageOf, TelltaleError } from '../core/errors.ts';
import type { Detector } from '../core/model/detector.ts';
import {
  type AlertWindow,
  isActive,
  isStrange,
  NEVER_SEEN,
  roundScore,
  stepAlert,
} from '../core/model/hysteresis.ts';
import { openRecording, type RecordingOptions } from '../core/recording.ts';
import { Limits } from '../core/recording-limits.ts';
import { orderRemarks, timeDirection } from '../core/recording-order.ts';
import type { RecordingRow } from '../core/recording-rows.ts';
import { type Car, newCar } from './car.ts';
import {
  alertRemarks,
  columnRemarks,
  LostSignals,
  RowSteps,
  RowsInTime,
  signalsGiven,
  UnusualSignals,
} from './csv-remarks.ts';
import { followCar } from './follow.ts';
import { topSignals } from './score-writer.ts';

const SCORES_HEADER = 'id,timestamp,score,threshold,alert,top1,top2';

export interface CsvScoring {
  readonly file: string;
  readonly reading: RecordingOptions;
  readonly out: string;
  readonly detector: Detector;
  readonly signal: AbortSignal;
  readonly warn: (line: string) => void;
}

export interface CsvScored {
  readonly rows: number;
  readonly alerts: number;
  readonly ids: number;
  readonly faulty: number;
}

interface Followed {
  readonly car: Car;
  window: AlertWindow;
  lastTsMs: number;
}

const cell = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** What becomes of a row older than the one before: nothing is left out here. */
const OLDER = 'scored as it stands (training leaves such rows out)';

/** Follows every id of a recording. */
class RowScorer {
  readonly #detector: Detector;
  readonly #direction: 1 | -1;
  readonly #names: readonly string[];
  readonly #scratch: Car['detector'];
  readonly #ids = new Map<string, Followed>();
  readonly steps = new RowSteps();
  readonly order = new RowsInTime();
  readonly lost: LostSignals;
  alerts = 0;
  rowsInAlert = 0;

  constructor(detector: Detector, direction: 1 | -1) {
    this.#detector = detector;
    this.#direction = direction;
    this.#names = detector.bundle.catalogue.signals.map(({ name }) => cell(name));
    this.#scratch = detector.newState();
    this.lost = new LostSignals(detector.bundle);
  }

  get ids(): number {
    return this.#ids.size;
  }

  /** The line of a row of which nobody knows which cell is which, or of which car: no score, and the alert as it stood. */
  #unread({ id, timeText }: RecordingRow): string {
    const window = this.#ids.get(id)?.window;
    const alert = window && isActive(window.state) ? 1 : 0;
    this.rowsInAlert += alert;
    return `${cell(id)},${cell(timeText)},,${this.#detector.bundle.threshold},${alert},,\n`;
  }

  /** The line of one row. A row without a readable time is taken as one usual step after the row before. */
  line(row: RecordingRow): string {
    if (!row.readable) return this.#unread(row);
    const { id, timeText, tsMs, values } = row;
    const { bundle } = this.#detector;
    let one = this.#ids.get(id);
    if (!one) {
      one = { car: newCar(this.#detector), window: NEVER_SEEN, lastTsMs: Number.NEGATIVE_INFINITY };
      this.#ids.set(id, one);
    }
    const at = Number.isFinite(tsMs) ? this.#direction * tsMs : one.lastTsMs + bundle.stepMs;
    const { finding, late } = followCar(this.#detector, one.car, this.#scratch, {
      values,
      tsMs: at,
      receivedMs: Number.POSITIVE_INFINITY,
      inOrder: true,
    });
    if (finding.lost.length > 0) this.lost.see(row, finding.lost);
    const score = roundScore(finding.score);
    const before = one.window;
    one.window = stepAlert(bundle, before, { tsMs: at, strange: isStrange(score, bundle.threshold), late });
    if (!isActive(before.state) && isActive(one.window.state)) this.alerts += 1;
    this.steps.see(at - one.lastTsMs);
    this.order.see(id, at, values);
    one.lastTsMs = at;
    const [first, second] = topSignals(this.#detector.explain().shares, 2, 0);
    const top1 = first === undefined ? '' : this.#names[first]!;
    const top2 = second === undefined ? '' : this.#names[second]!;
    const alert = isActive(one.window.state) ? 1 : 0;
    this.rowsInAlert += alert;
    return `${cell(id)},${cell(timeText)},${score},${bundle.threshold},${alert},${top1},${top2}\n`;
  }
}

/**
 * Writes the scores of a recording; the file appears whole or not at all.
 * @throws TelltaleError RECORDING_INVALID, ABORTED, CONFIG_INVALID when `out` cannot be written
 */
export async function scoreCsv(options: CsvScoring): Promise<CsvScored> {
  const { file, reading, out, detector, signal, warn } = options;
  const recording = await openRecording(file, { ...reading, anyNumber: true });
  const names = detector.bundle.catalogue.signals.map(({ name }) => name);
  const given = signalsGiven(recording, names);
  if (given.length === 0) {
    throw new TelltaleError(
      'RECORDING_INVALID',
      `${file}: has no number for any of the model's signals (${names.join(', ')})`,
    );
  }
  const { remarks, timeRemarks } = recording;
  for (const remark of [...remarks, ...timeRemarks, ...columnRemarks(recording, names)])
    warn(`${file}: ${remark}`);
  // What was constant in training is watched for any other value, and its range says nothing.
  const { catalogue, still, medians } = detector.bundle;
  // What was never measured, or only counts, is not watched: its range says nothing.
  const unwatched = [...medians.keys()].filter((signal) => medians[signal] === null);
  const limits = new Limits(catalogue.signals, new Set([...still.signals, ...unwatched]));
  const scorer = new RowScorer(detector, await timeDirection(recording));
  const unusual = new UnusualSignals(detector.bundle);
  const partial = `${out}.${process.pid}.partial`;
  const sink = createWriteStream(partial);
  let broken: unknown;
  sink.on('error', (error) => {
    broken = error;
  });
  let rows = 0;
  let faulty = 0;
  let pending = `${SCORES_HEADER}\n`;
  try {
    for await (const row of recording.rows(names, limits)) {
      if (row.fault !== null) {
        if (faulty === 0)
          warn(
            `${file}: ${row.fault}; ${row.readable ? 'scored with what can be read' : 'not scored'} (said once, counted)`,
          );
        faulty += 1;
      }
      pending += scorer.line(row);
      unusual.see(row);
      rows += 1;
      if (pending.length < 65_536) continue;
      if (signal.aborted) throw new TelltaleError('ABORTED', 'scoring was stopped');
      if (broken !== undefined) throw broken;
      await new Promise<void>((resolve) => sink.write(pending, () => resolve()));
      pending = '';
    }
    sink.end(pending);
    // Also of a sink that has failed already, and closed with nobody waiting.
    await finished(sink);
    await rename(partial, out);
  } catch (error) {
    sink.destroy();
    await rm(partial, { force: true });
    if (error instanceof TelltaleError) throw error;
    throw new TelltaleError('CONFIG_INVALID', `--out ${out}: ${messageOf(error)}`, { cause: error });
  }
  const { stepMs } = detector.bundle;
  for (const remark of [
    ...limits.remarks(),
    ...unusual.remarks(),
    ...scorer.lost.remarks(given),
    ...orderRemarks(scorer.order, recording.idColumn, OLDER),
    ...scorer.steps.remarks(stepMs),
    ...alertRemarks(rows, scorer.rowsInAlert),
  ])
    warn(`${file}: ${remark}`);
  return { rows, alerts: scorer.alerts, ids: scorer.ids, faulty };
}
