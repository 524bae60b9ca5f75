// The relation head: each channel is foretold from all the OTHER channels, now and in their recent past
// (forecaster.ts), so that a fault which breaks a relation shows while every reading stays in its range. Four kinds of
// evidence are gathered (streams.ts):
//   others   what is left when the other channels have spoken, over the spread that is usual in this operating state
//   own      the same when the car's own long-run level may speak too: finds changes, forgives a car its habits
//   fine     own, less what the car has shown so far, over the spread usual in this state and the doubt that is left about the
//            car: where a relation is close, a little off is much
//   jitter   how much each channel moves from event to event: frozen sensors move too little, misfires too much
import { createGauge, type Gauge } from '../../gauge/gauge.ts';
import { type Shifts, shiftsLeft } from '../../gauge/marginal.ts';
import type { Losses } from '../../losses.ts';
import type { Head } from '../head.ts';
import { createForecaster, createRelationInputs } from './forecaster.ts';
import { decodeRelation, type RelationSpec, relationShape } from './spec.ts';
import { INPUT_SPANS, STREAMS, stateLayout } from './state.ts';
import { createFreshAverages, createStreams, fillStreams, type StreamSource } from './streams.ts';

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
