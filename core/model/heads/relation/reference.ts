// The relation head: each channel is foretold from all the OTHER channels, now and in their recent past (forecaster.ts), so that a
// fault which breaks a relation shows while every reading stays in its range. Four kinds of evidence are gathered (streams.ts):
//   others   what is left when the other channels have spoken, over the spread that is usual in this operating state
//   own      the same when the car's own long-run level may speak too: finds changes, forgives a car its habits
//   fine     own, less what the car has shown so far, over the spread usual in this state and the doubt that is left about the
//            car: where a relation is close, a little off is much
//   jitter   how much each channel moves from event to event: frozen sensors move too little, misfires too much
import { TelltaleError } from '../../../errors.ts';
import { createGauge, type Gauge, type GaugeSpec } from '../../gauge/gauge.ts';
import { decodeShifts, type Shifts, shiftsLeft } from '../../gauge/marginal.ts';
import type { Losses } from '../../losses.ts';
import { decodeFloats } from '../../numbers.ts';
import type { Head, HeadShape, HeadSpec } from '../head.ts';
import {
  createForecaster,
  createRelationInputs,
  inputCount,
  type RelationPlan,
  spreadInputCount,
} from './forecaster.ts';
import { INPUT_SPANS, STREAMS, stateLayout } from './state.ts';
import { createFreshAverages, createStreams, fillStreams, type StreamSource } from './streams.ts';

export interface RelationSpec extends HeadSpec, RelationPlan {
  readonly kind: 'relation';
  /**
   * base64 floats, 2·channels × inputCount, row after row: what the others foretell of each channel; what they and its own level
   * do.
   */
  readonly readout: string;
  /**
   * base64 floats, 3·channels × spreadInputCount, row after row: the log of the usual spread over the plain one, of the first
   * residual, of the second, of the movement.
   */
  readonly spreadReadout: string;
  /** base64 floats, 4·channels: the plain spread of the first residual, of the second, of the movement (> 0); the mean jitter. */
  readonly spreads: string;
  /** base64 floats, channels: events of the fleet's that a car's own are weighed against when its habit in `fine` is told, > 0. */
  readonly fleetEvents: string;
  readonly gauges: readonly RelationGauge[];
  /**
   * base64 floats, channels × channels: for each channel lost the root mean square by which what is foretold of each channel is
   * shifted, in its plain spread. Absent: not known, taken as 0.
   */
  readonly shifts?: string;
}

export interface RelationGauge extends GaugeSpec {
  readonly stream: (typeof STREAMS)[number];
}

/** Where a loss may shift what is foretold by more than so many of its usual spreads, nothing is told. */
export const MOST_DOUBT = 3;

/** How far off what is foretold of each channel may be while others are lost, in its plain spread; a lost one is not told either. */
export function createDoubts(shifts: Shifts | null, channels: number): (losses: Losses) => Float64Array {
  const made = new WeakMap<Losses, Float64Array>();
  return (losses) => {
    let doubts = made.get(losses);
    if (doubts) return doubts;
    const left = shiftsLeft(losses, INPUT_SPANS[0]);
    doubts = Float64Array.from({ length: channels }, (_, k) => {
      if (losses.lost[k] === 1) return Number.POSITIVE_INFINITY;
      let doubt = 0;
      for (let j = 0; shifts !== null && j < channels; j += 1) doubt += left[j]! * shifts[j * channels + k]!;
      return doubt;
    });
    made.set(losses, doubts);
    return doubts;
  };
}

export const relationShape = ({ gauges }: RelationSpec, channels: number): HeadShape => ({
  statistics: gauges.map(
    ({ stream, span, tails, reach }) => `${stream}-${span}${tails ? '-peak' : ''}${reach ? '-single' : ''}`,
  ),
  alone: gauges.map(({ reach }) => (reach === undefined ? 0 : 1)),
  stateSize: stateLayout(channels).gauges + gauges.length * channels,
});

/** A relation head's numbers, decoded and checked. @throws TelltaleError MODEL_INVALID */
export function decodeRelation(spec: RelationSpec, channels: number) {
  const { name, units } = spec;
  const width = inputCount(units, channels);
  const readout = decodeFloats(spec.readout, 2 * channels * width, `head ${name}: readout`);
  const spreadReadout = decodeFloats(
    spec.spreadReadout,
    3 * channels * spreadInputCount(units, channels),
    `head ${name}: readout of spreads`,
  );
  const spreads = decodeFloats(spec.spreads, 4 * channels, `head ${name}: spreads`);
  if (!spreads.subarray(0, 3 * channels).every((value) => value > 0))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: a spread is not positive`);
  const fleetEvents = decodeFloats(spec.fleetEvents, channels, `head ${name}: events of the fleet`);
  if (!fleetEvents.every((events) => events > 0))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: a habit is weighed against no events`);
  const shifts = decodeShifts(spec.shifts, channels, 1, `head ${name}`);
  return { readout, spreadReadout, spreads, fleetEvents, shifts };
}

/** Makes the head ready to run. @throws TelltaleError MODEL_INVALID */
export function createRelationHead(spec: RelationSpec, channels: number): Head {
  const { name, units } = spec;
  const { readout, spreadReadout, spreads, fleetEvents, shifts } = decodeRelation(spec, channels);
  const forecaster = createForecaster(readout, spreadReadout, units, channels);
  const source = createRelationInputs(spec, channels, name, forecaster.inputs);
  const streams = createStreams(channels);
  const usual: StreamSource = { channels, slow: spec.slow, spreads, fleetEvents };
  const layout = stateLayout(channels);
  const gauges: Gauge[] = spec.gauges.map((gauge) => createGauge(gauge, channels, name));
  const freshen = createFreshAverages(channels);
  const doubtsOf = createDoubts(shifts, channels);
  let doubts: Float64Array | null = null;
  const freshFrom = spec.gauges.map(({ stream }) => layout.fresh + STREAMS.indexOf(stream) * channels);
  return {
    name,
    ...relationShape(spec, channels),
    step: (input, state, at, statistics, statisticsAt) => {
      source.step(input, state, at);
      forecaster.run();
      doubts = input.losses ? doubtsOf(input.losses) : null;
      fillStreams(usual, input, forecaster, source.movement, state, at, streams);
      freshen(streams, input, state, at + layout.fresh);
      for (let g = 0; g < gauges.length; g += 1) {
        const from = at + layout.gauges + g * channels;
        const stream = streams[spec.gauges[g]!.stream];
        const fresh = at + freshFrom[g]!;
        statistics[statisticsAt + g] = gauges[g]!.step(stream, input, state, from, state, fresh);
      }
    },
    blame: (index, parts) => gauges[index]!.blame(parts),
    expected: (out) => {
      for (let k = 0; k < channels; k += 1)
        out[k] = doubts !== null && doubts[k]! > MOST_DOUBT ? Number.NaN : forecaster.foretold[k]!;
    },
  };
}
