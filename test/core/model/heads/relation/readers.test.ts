import { describe, expect, it } from 'vitest';
import {
  createRelationInputs,
  inputCount,
  moveAt,
  type RelationPlan,
  spreadInputCount,
  unitsFrom,
} from '../../../../../core/model/heads/relation/forecaster.ts';
import { readersOf } from '../../../../../core/model/heads/relation/readers.ts';
import { stateLayout } from '../../../../../core/model/heads/relation/state.ts';
import { encodeFloats } from '../../../../../core/model/numbers.ts';

const CHANNELS = 3;
/** Three units: channels 0, 1 and 1 again at other spans; channel 2 alone; channel 0 and the level of channel 1. */
const plan: RelationPlan = {
  units: 3,
  unitInputs: [0, 1, 4, 2, 5, 8, 0, 3, 10],
  unitWeights: encodeFloats([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]),
  slow: 50,
};

/** The forecaster's inputs after events of these readings. */
function inputsAfter(events: readonly (readonly number[])[]): Float32Array {
  const inputs = new Float32Array(inputCount(plan.units, CHANNELS));
  const source = createRelationInputs(plan, CHANNELS, 'test', inputs);
  const state = new Float32Array(stateLayout(CHANNELS).gauges);
  events.forEach((readings, i) => {
    const input = {
      features: Float64Array.from(readings),
      present: new Uint8Array(CHANNELS).fill(1),
      reconstruction: new Float64Array(CHANNELS),
      restart: i === 0,
      steps: 1,
    };
    source.step(input, state, 0);
  });
  return inputs;
}

describe('the inputs of the relation head', () => {
  it('are 1, averages, moves, units and levels, in this order', () => {
    const inputs = inputsAfter([
      [0, 1, 0.5],
      [1, 1, 0.5],
    ]);
    // Spans 4 and 16 weigh the newest by 2/5 and 2/17.
    expect(inputs[0]).toBe(1);
    expect([...inputs.subarray(1, 4)].map((value) => Number(value.toFixed(6)))).toEqual([0.4, 1, 0.5]);
    expect(inputs[moveAt(0, CHANNELS)]).toBeCloseTo(2 / 5 - 2 / 17, 6);
    expect(inputs[moveAt(1, CHANNELS)]).toBe(0);
    expect(inputs[unitsFrom(CHANNELS)]).toBeCloseTo(Math.tanh(0.4), 5);
    expect(inputs[unitsFrom(CHANNELS) + 1]).toBeCloseTo(Math.tanh(0.5), 5);
    // The third unit hears the level of channel 1, which stands behind the units.
    expect(inputs[unitsFrom(CHANNELS) + 2]).toBeCloseTo(Math.tanh(1), 5);
    expect([...inputs.subarray(unitsFrom(CHANNELS) + 3)]).toEqual([0.5, 1, 0.5]);
  });

  it('move whichever way a reading goes', () => {
    const down = inputsAfter([
      [0, 0, 0],
      [-1, 0, 0],
    ]);
    expect(down[moveAt(0, CHANNELS)]).toBeCloseTo(2 / 5 - 2 / 17, 6);
  });
});

describe('the readers of the relation head', () => {
  const { others, own } = readersOf(plan, CHANNELS);

  it('may not use what touches the channel: averages, its move, units over it', () => {
    expect(others.forbidden[0]).toEqual([1, 4, 7, moveAt(0, CHANNELS), unitsFrom(CHANNELS)]);
    expect(own.forbidden[0]).toEqual([
      1,
      4,
      7,
      moveAt(0, CHANNELS),
      unitsFrom(CHANNELS),
      unitsFrom(CHANNELS) + 2,
    ]);
    // A unit over the level of channel 1 does not touch its readings.
    expect(own.forbidden[1]).toEqual([2, 5, 8, moveAt(1, CHANNELS), unitsFrom(CHANNELS)]);
  });

  it('know nothing of levels in what the others foretell', () => {
    expect(others.used).toBe(unitsFrom(CHANNELS) + 2);
    expect(own.used).toBe(inputCount(3, CHANNELS));
    expect(spreadInputCount(3, CHANNELS)).toBe(unitsFrom(CHANNELS) + 3);
  });
});
