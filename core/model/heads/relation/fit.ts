// Fits the relation head (core/model/heads/relation/reference.ts) on all rows at once, and besides, for each fold of
// cars, as it would have been without them: those judge the cars left out, so that whitening, tails and threshold know
// how far off the forecaster is on cars it has not seen.

import { fitGauge, type GaugePlan, type GaugeRows } from '../../gauge/fit.ts';
import { Extremes } from '../../gauge/fit-reach.ts';
import { createAverage } from '../../gauge/gauge.ts';
import type { Guesses } from '../../gauge/shifts.ts';
import { encodeFloats } from '../../numbers.ts';
import type { Prepared } from '../../prepared.ts';
import { rowInput } from '../../prepared.ts';
import { seededRandom } from '../../random.ts';
import type { HeadInput } from '../head.ts';
import { fitReadouts, type Readouts } from './fit-readouts.ts';
import { drawUnits } from './fit-units.ts';
import { createForecaster, createRelationInputs, inputCount, type RelationPlan } from './forecaster.ts';
import type { Sample } from './readers.ts';
import { shiftsOf } from './shifts.ts';
import type { RelationGauge, RelationSpec } from './spec.ts';
import { STREAMS, stateLayout } from './state.ts';
import { createFreshAverages, createStreams, fillStreams } from './streams.ts';

export interface RelationOptions {
  readonly seed: number;
  /** Share of the strangest rows left out when the normal is learnt. */
  readonly trim: number;
  /** Most rows the readouts are fitted on; the work grows with it. Default 24,000. */
  readonly maxRows?: number | undefined;
  /** Most units; a car's event costs what they cost. Default 704. */
  readonly maxUnits?: number | undefined;
  /** The part of those rows this fit may take, when several share the work. Default 1. */
  readonly share?: number;
  /** Whether all rows are of one rig: its few rows do not tell what each channel would need, nor cars from each other. */
  readonly oneRig?: boolean;
  /** Awaited between parts of the work, 0 to 1; may reject to stop. */
  readonly progress: (done: number, what: string) => Promise<void>;
  /** What is guessed of a lost channel. Absent: what losses do is not measured. */
  readonly guesses?: Guesses;
}

export interface FittedRelation {
  /** Fitted on all rows. */
  readonly final: RelationSpec;
  /** `folds[k]`: fitted on all rows but those of fold k. */
  readonly folds: readonly RelationSpec[];
}

interface WatchedGauge extends GaugePlan {
  readonly stream: RelationGauge['stream'];
}

const MAX_UNITS = 704;
/** Readout weights bound the cost of an event: with many channels there are fewer units. */
const UNITS_TIMES_CHANNELS = 16_000;
/** Rows of data a unit needs. */
const ROWS_PER_UNIT = 12;
const MAX_SAMPLE = 24_000;
const MAX_GAUGE_ROWS = 16_000;
const LONGEST_SLOW = 2400;

/** What is watched: stream, span in events, and how. */
const GAUGES: readonly WatchedGauge[] = [
  { stream: 'others', span: 60, single: false },
  { stream: 'others', span: 200, single: false },
  { stream: 'own', span: 60, single: false },
  { stream: 'own', span: 200, single: false },
  { stream: 'own', span: 8, single: true },
  { stream: 'jitter', span: 30, single: true },
  { stream: 'jitter', span: 200, single: true },
  { stream: 'fine', span: 8, single: false, reach: true },
  { stream: 'fine', span: 30, single: false, reach: true },
  { stream: 'fine', span: 150, single: false, reach: true },
  { stream: 'others', span: 30, single: false, reach: true },
  { stream: 'others', span: 150, single: false, reach: true },
  { stream: 'jitter', span: 30, single: false, reach: true },
];
/** An average is let go when the newest events are nearer to the usual by so much, in units of its stream. */
const RELEASE: Readonly<Record<RelationGauge['stream'], number>> = {
  others: 1,
  own: 1,
  fine: 1,
  jitter: 0.4,
};

/**
 * Rows of the stretch of driving that a row lies in, on average over the rows: where a few long stretches stand among
 * many short ones it is the long ones that long averages are learnt from, and most rows are theirs.
 */
function stretchLength({ count, first }: Prepared): number {
  let squares = 0;
  for (let from = 0, to = 1; to <= count; to += 1) {
    if (to < count && first[to] !== 1) continue;
    squares += (to - from) ** 2;
    from = to;
  }
  return squares / Math.max(1, count);
}

/**
 * The gauges this history can calibrate: none averages over more than an eighth of a usual stretch, and of two that
 * then last almost as long the longer stays.
 */
function gaugesFor(prepared: Prepared): WatchedGauge[] {
  const longest = Math.max(8, Math.round(stretchLength(prepared) / 8));
  const all = GAUGES.map((gauge) => ({
    ...gauge,
    span: Math.min(gauge.span, longest),
    release: RELEASE[gauge.stream],
  }));
  return all.filter(({ stream, span, single, reach }, i) => {
    const alike = all.filter(
      (other) => other.stream === stream && other.single === single && other.reach === reach,
    );
    const longer = alike.some((other) => other.span > span && other.span <= 2 * span);
    return !longer && all.findIndex((other) => alike.includes(other) && other.span === span) === i;
  });
}

function drawPlan(
  prepared: Prepared,
  { seed, oneRig = false, maxUnits = MAX_UNITS }: RelationOptions,
  maxRows: number,
): RelationPlan {
  const { channels, count } = prepared;
  const random = seededRandom(seed, 'relation');
  const units = Math.max(
    1,
    Math.min(
      maxUnits,
      Math.floor(UNITS_TIMES_CHANNELS / channels),
      Math.floor(Math.min(count, maxRows) / ROWS_PER_UNIT),
    ),
  );
  const slow = Math.max(50, Math.min(LONGEST_SLOW, Math.round(stretchLength(prepared))));
  return { units, ...drawUnits(prepared, units, !oneRig, random), slow };
}

/** Runs the forecaster's inputs over all rows; `visit` sees each row with its inputs filled. */
function eachRow(
  prepared: Prepared,
  plan: RelationPlan,
  inputs: Float32Array,
  visit: (row: number, input: HeadInput, movement: Float64Array, state: Float32Array) => void,
): void {
  const { channels, count } = prepared;
  const source = createRelationInputs(plan, channels, 'relation', inputs);
  const state = new Float32Array(stateLayout(channels).gauges);
  const input = rowInput(prepared);
  for (let r = 0; r < count; r += 1) {
    const now = input(r);
    source.step(now, state, 0);
    visit(r, now, source.movement, state);
  }
}

/** An even thinning of the rows with all that the readouts are fitted on. */
function drawSample(prepared: Prepared, plan: RelationPlan, folds: Uint8Array, maxRows: number): Sample {
  const { channels, count } = prepared;
  const width = inputCount(plan.units, channels);
  const most = Math.min(maxRows, Math.floor(16e6 / width));
  const stride = Math.max(1, Math.ceil(count / most));
  const size = Math.ceil(count / stride);
  const sample: Sample = {
    count: size,
    width,
    channels,
    inputs: new Float32Array(size * width),
    folds: new Uint8Array(size),
    present: new Uint8Array(size * channels),
    movement: new Float32Array(size * channels),
    known: new Uint32Array(size),
  };
  const row = new Float32Array(width);
  let next = 0;
  eachRow(prepared, plan, row, (r, { present }, movement, state) => {
    if (r % stride !== 0) return;
    sample.known[next] = state[stateLayout(channels).count]!;
    sample.inputs.set(row, next * width);
    sample.folds[next] = folds[r]!;
    sample.present.set(present, next * channels);
    for (let k = 0; k < channels; k += 1) sample.movement[next * channels + k] = movement[k]!;
    next += 1;
  });
  return sample;
}

/** What every gauge is fitted on: its averages over all rows, each row judged by the readouts of its fold's absence; thinned. */
function gaugeRows(
  prepared: Prepared,
  plan: RelationPlan,
  folds: Uint8Array,
  readouts: readonly Readouts[],
  gauges: readonly WatchedGauge[],
): { readonly evidence: readonly (GaugeRows | Extremes)[]; readonly stride: number } {
  const { channels, count, first } = prepared;
  const stride = Math.max(1, Math.ceil(count / MAX_GAUGE_ROWS));
  const size = Math.ceil(count / stride);
  const rowFolds = new Uint8Array(size);
  const begins = (r: number) => r === 0 || first[r] === 1 || folds[r] !== folds[r - 1];
  const stretches = folds.reduce((sum, _, r) => sum + (begins(r) ? 1 : 0), 0);
  const evidence = gauges.map(({ reach }) =>
    reach
      ? new Extremes(channels, stretches)
      : { count: size, channels, averages: new Float32Array(size * channels), folds: rowFolds },
  );
  const averages = gauges.map((gauge) => createAverage(gauge, channels));
  const freshFrom = gauges.map(({ stream }) => STREAMS.indexOf(stream) * channels);
  const state = gauges.map(() => new Float32Array(channels));
  const freshen = createFreshAverages(channels);
  const fresh = new Float32Array(STREAMS.length * channels);
  const streams = createStreams(channels);
  const measured = new Uint8Array(channels);
  const forecasters = readouts.map(({ matrix, spreadMatrix }) =>
    createForecaster(matrix, spreadMatrix, plan.units, channels),
  );
  const inputs = new Float32Array(inputCount(plan.units, channels));
  const usual = readouts.map(({ spreads, fleetEvents }) => ({
    channels,
    slow: plan.slow,
    spreads,
    fleetEvents,
  }));
  eachRow(prepared, plan, inputs, (r, input, movement, carState) => {
    const fold = folds[r]!;
    const beginning = begins(r);
    const forecaster = forecasters[fold]!;
    forecaster.inputs.set(inputs);
    forecaster.run();
    fillStreams(usual[fold]!, input, forecaster, movement, carState, 0, streams);
    freshen(streams, input, fresh, 0);
    for (let g = 0; g < gauges.length; g += 1) {
      const stream = streams[gauges[g]!.stream];
      const now = state[g]!;
      const into = evidence[g]!;
      averages[g]!(stream, input, now, 0, fresh, freshFrom[g]!);
      if (into instanceof Extremes) {
        if (beginning) into.begin(fold);
        for (let k = 0; k < channels; k += 1) measured[k] = Number.isNaN(stream[k]!) ? 0 : input.present[k]!;
        into.take(now, measured);
      } else if (r % stride === 0) into.averages.set(now, (r / stride) * channels);
    }
    if (r % stride === 0) rowFolds[r / stride] = fold;
  });
  return { evidence, stride };
}

/**
 * Fits the head.
 * @param folds each row's fold, 0 … foldCount − 1; all rows of a car share one
 */
export async function fitRelationHead(
  prepared: Prepared,
  folds: Uint8Array,
  foldCount: number,
  options: RelationOptions,
): Promise<FittedRelation> {
  const { trim, progress, share = 1 } = options;
  const maxRows = Math.ceil(share * (options.maxRows ?? MAX_SAMPLE));
  const plan = drawPlan(prepared, options, maxRows);
  const gauges = gaugesFor(prepared);
  await progress(0, 'reading relations');
  const sample = drawSample(prepared, plan, folds, maxRows);
  await progress(0.25, 'fitting relations');
  const readouts = await fitReadouts(sample, plan, foldCount, options, (done) =>
    progress(0.25 + 0.35 * done, 'fitting relations'),
  );
  const without = readouts.slice(1);
  await progress(0.6, 'judging unseen cars');
  const { evidence, stride } = gaugeRows(prepared, plan, folds, without, gauges);
  await progress(0.85, 'learning what is usual');
  const specOf = ({ matrix, spreadMatrix, spreads, fleetEvents }: Readouts, left: number): RelationSpec => ({
    kind: 'relation',
    name: 'relation',
    ...plan,
    readout: encodeFloats(matrix),
    spreadReadout: encodeFloats(spreadMatrix),
    spreads: encodeFloats(spreads),
    fleetEvents: encodeFloats(fleetEvents),
    gauges: gauges.map(({ stream, ...gauge }, g) => ({
      stream,
      ...fitGauge(gauge, evidence[g]!, left, stride, trim),
    })),
  });
  const plain = specOf(readouts[0]!, -1);
  await progress(0.95, 'learning what losses do');
  const reckon = options.guesses ? shiftsOf(plain, prepared, options.guesses) : (spec: RelationSpec) => spec;
  return { final: reckon(plain), folds: without.map((readout, k) => reckon(specOf(readout, k))) };
}
