// The relation head in lanes (reference.ts).

import { FRESH_SPAN } from '../../gauge/gauge.ts';
import { createLaneGauge } from '../../gauge/lanes.ts';
import type { LaneHead, LanePlace } from '../../lanes/head.ts';
import { LANES, type LaneMemory, SLOT } from '../../lanes/kernel.ts';
import { packMatrix } from '../../lanes/packs.ts';
import { decodeUnits, FAN_IN, inputCount, spreadInputCount, unitsFrom } from './forecaster.ts';
import { createDoubts, MOST_DOUBT } from './reference.ts';
import { decodeRelation, type RelationSpec } from './spec.ts';
import { INPUT_SPANS, STREAMS, stateLayout } from './state.ts';

/** The units as the kernel reads them: of each the bytes of its inputs, their weights, a constant. */
function packUnits(memory: LaneMemory, { places, weights, biases }: ReturnType<typeof decodeUnits>): number {
  const each = 2 * FAN_IN + 1;
  const place = memory.take(4 * each * biases.length);
  biases.forEach((bias, u) => {
    const at = place / 4 + each * u;
    for (let i = 0; i < FAN_IN; i += 1) {
      memory.ints[at + i] = SLOT * places[FAN_IN * u + i]!;
      memory.floats[at + FAN_IN + i] = weights[FAN_IN * u + i]!;
    }
    memory.floats[at + 2 * FAN_IN] = bias;
  });
  return place;
}

/** Averages and levels of the readings, and the units over them: the readouts' inputs. */
function laneInputs(spec: RelationSpec, { frame, state }: LanePlace) {
  const { n, memory, block } = frame;
  const { units } = spec;
  const { averageReadings, followLevels, tanhUnits } = memory.kernel;
  const inputs = memory.row(inputCount(units, n));
  memory.floats.fill(1, inputs / 4, inputs / 4 + LANES);
  const packed = packUnits(memory, decodeUnits(spec, n, spec.name));
  const weights = frame.weights.of(...INPUT_SPANS);
  const off = memory.row(n);
  const movement = memory.row(n);
  const firstUnit = inputs + SLOT * unitsFrom(n);
  const levels = firstUnit + SLOT * units;
  const slowest = 2 / (spec.slow + 1);
  return {
    inputs,
    movement,
    step: () => {
      const { loss } = frame;
      averageReadings(n, block, loss, weights, state, inputs, off);
      followLevels(n, block, loss, slowest, state, inputs, levels, off, movement);
      tanhUnits(inputs, packed, units, firstUnit);
    },
  };
}

/** What is foretold of each channel, from others and from own, and the logs of the usual spreads. */
function laneForecaster(spec: RelationSpec, { frame: { n, memory } }: LanePlace, inputs: number) {
  const { dense, heldInputs } = memory.kernel;
  const { readout, spreadReadout } = decodeRelation(spec, n);
  const width = inputCount(spec.units, n);
  const main = packMatrix(memory, { inputs: width, outputs: 2 * n, at: (i, o) => readout[o * width + i]! }, [
    0,
    n,
  ]);
  const spreadWidth = spreadInputCount(spec.units, n);
  const side = packMatrix(memory, {
    inputs: spreadWidth,
    outputs: 3 * n,
    at: (i, o) => spreadReadout[o * spreadWidth + i]!,
  });
  const foretold = memory.row(2 * n);
  const logs = memory.row(3 * n);
  const held = memory.row(spreadWidth);
  return {
    foretold,
    logs,
    step: () => {
      dense(inputs, main, foretold);
      heldInputs(inputs, spreadWidth, unitsFrom(n), held);
      dense(held, side, logs);
    },
  };
}

/** @throws TelltaleError MODEL_INVALID */
export function createLaneRelation(spec: RelationSpec, place: LanePlace): LaneHead {
  const { frame, state } = place;
  const { n, memory, block } = frame;
  const { average, fillStreams } = memory.kernel;
  const { spreads, fleetEvents, shifts } = decodeRelation(spec, n);
  const source = laneInputs(spec, place);
  const forecaster = laneForecaster(spec, place, source.inputs);
  const params = memory.put([...spreads, ...fleetEvents]);
  const slowest = 2 / (spec.slow + 1);
  const streams = memory.row(STREAMS.length * n);
  const layout = stateLayout(n);
  const fresh = state + SLOT * layout.fresh;
  const freshWeight = frame.weights.of(FRESH_SPAN);
  const row = SLOT * n;
  const gauges = spec.gauges.map((gauge, g) => {
    const stream = row * STREAMS.indexOf(gauge.stream);
    return {
      gauge: createLaneGauge(gauge, frame, spec.name),
      ...{ stream: streams + stream, fresh: fresh + stream },
      state: state + SLOT * layout.gauges + row * g,
    };
  });
  const doubtsOf = createDoubts(shifts, n);
  return {
    step: (statistics) => {
      source.step();
      forecaster.step();
      const { foretold, logs } = forecaster;
      const { inputs, movement } = source;
      fillStreams(n, block, frame.loss, slowest, params, state, inputs, foretold, logs, movement, streams);
      average(STREAMS.length * n, block, freshWeight, streams, fresh);
      for (let g = 0; g < gauges.length; g += 1) {
        const one = gauges[g]!;
        one.gauge.step(one.stream, one.state, one.fresh, statistics + SLOT * g);
      }
    },
    blame: (lane, index, parts) => gauges[index]!.gauge.blame(lane, parts),
    expected: (lane, out) => {
      const { losses } = frame.patterns;
      const doubts = losses === null ? null : doubtsOf(frame.lossesOf(losses));
      for (let k = 0; k < n; k += 1)
        out[k] =
          doubts !== null && doubts[k]! > MOST_DOUBT ? Number.NaN : memory.of(forecaster.foretold, k, lane);
    },
  };
}
