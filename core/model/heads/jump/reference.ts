// The shock head: a reading that jumped as readings of its kind do not. A sensor that is suddenly off by a little stays
// in its range and soon becomes the car's habit; what gives it away is the one step no physical quantity takes.
// Movements from event to event count by what they have beyond nearly all movements of the channel seen in training; a
// gauge holds them for a while.
import { createGauge } from '../../gauge/gauge.ts';
import { type Head, MOST_STEPS_MOVED } from '../head.ts';
import { type JumpSpec, jumpShape } from './spec.ts';

/** Held-in bound of one shock, in multiples of what movements seldom exceed. */
const MOST_JUMP = 20;

/** Below it a shock is rounding: readings come in steps, the usual movement is one of them, and states keep 24 bits. */
const LEAST_JUMP = 1e-3;

/** How far a movement goes beyond what is seldom exceeded, in multiples of it, signed; 0 for usual movements. */
export function jumpOf(movement: number, seldom: number): number {
  const beyond = (Math.abs(movement) - seldom) / seldom;
  return beyond > LEAST_JUMP ? Math.sign(movement) * Math.min(MOST_JUMP, beyond) : 0;
}

/** Makes the head ready to run. @throws TelltaleError MODEL_INVALID */
export function createJumpHead(spec: JumpSpec, channels: number): Head {
  const { name, seldom, gauge } = spec;
  const shape = jumpShape(spec, channels);
  const shocks = new Float32Array(channels);
  const follower = createGauge(gauge, channels, name);
  return {
    name,
    ...shape,
    step: (input, state, at, statistics, statisticsAt) => {
      const { features, present, restart, steps, losses } = input;
      for (let k = 0; k < channels; k += 1) {
        const seen = at + k;
        // The first reading after a loss is no jump.
        if (restart || losses?.lost[k] === 1) state[seen] = 0;
        shocks[k] = 0;
        if (present[k] !== 1) continue;
        const last = at + channels + k;
        if (state[seen] === 1 && steps <= MOST_STEPS_MOVED)
          shocks[k] = jumpOf(features[k]! - state[last]!, seldom[k]!);
        state[last] = features[k]!;
        state[seen] = 1;
      }
      statistics[statisticsAt] = follower.step(shocks, input, state, at + 2 * channels);
    },
    blame: (_index, parts) => follower.blame(parts),
  };
}
