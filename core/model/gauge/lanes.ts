// A gauge in lanes (core/model/gauge/gauge.ts): averages of a stream, and what the kernel makes of them by the matrix,
// or the reach, that is left under the wave's pattern of losses.

import type { Frame } from '../lanes/frame.ts';
import { SLOT } from '../lanes/kernel.ts';
import { matrixBytes, packMatrixAt, packTails, squareOf } from '../lanes/packs.ts';
import { createHeldIn, decodeGauge, type GaugeSpec } from './gauge.ts';
import { createMarginals, unitOf } from './marginal.ts';

export interface LaneGauge {
  /** From a stream into the averages at `state` to a statistic; `fresh` as in createAverage, 0: none. */
  step(stream: number, state: number, fresh: number, statistic: number): void;
  blame(lane: number, parts: Float64Array): void;
}

/** Takes a stream into averages at `state`. */
export function laneAverage({ span, release }: GaugeSpec, frame: Frame) {
  const { n, block, memory } = frame;
  const weight = frame.weights.of(span);
  const { average, averageReleased } = memory.kernel;
  return (stream: number, state: number, fresh: number): void => {
    if (release === undefined || fresh === 0) average(n, block, weight, stream, state);
    else averageReleased(n, block, weight, stream, state, fresh, release);
  };
}

/** @throws TelltaleError MODEL_INVALID */
export function createLaneGauge(spec: GaugeSpec, frame: Frame, name: string): LaneGauge {
  const { n, memory } = frame;
  const parts = decodeGauge(spec, n, name);
  if (parts.reach)
    return reachGauge(spec, frame, parts.reach, createHeldIn(parts.reach, parts.shifts, spec.span));
  const { precision, roots, shifts } = parts;
  const marginals = createMarginals(precision, n, spec.span, shifts, unitOf(n));
  const average = laneAverage(spec, frame);
  const { dense, distance, peak } = memory.kernel;
  const turned = memory.row(n);
  const levels = memory.row(n);
  const tails = spec.tails ? packTails(memory, spec.tails) : 0;
  const matrix = frame.section(matrixBytes(n, n), (losses, place) =>
    packMatrixAt(memory, place, squareOf(losses === null ? precision : marginals(losses).left(), n)),
  );
  const inverses = frame.section(4 * n, (losses, place) => {
    const left = losses === null ? roots : marginals(losses).roots;
    left.forEach((root, k) => {
      memory.floats[place / 4 + k] = root === 0 ? 0 : 1 / root;
    });
  });
  const { patterns } = frame;
  return {
    step: (stream, state, fresh, statistic) => {
      average(stream, state, fresh);
      dense(state, patterns.at(matrix), turned);
      // Fills the section, for `blame`.
      const left = patterns.at(inverses);
      if (tails === 0) distance(n, turned, state, statistic);
      else peak(n, turned, left, tails, levels, statistic);
    },
    blame: (lane, out) => {
      const left = patterns.at(inverses) / 4;
      for (let k = 0; k < n; k += 1) {
        const size = memory.of(turned, k, lane) * memory.floats[left + k]!;
        out[k] = tails === 0 ? size * size : memory.of(levels, k, lane);
      }
    },
  };
}

function reachGauge(
  spec: GaugeSpec,
  frame: Frame,
  reach: ArrayLike<number>,
  heldIn: ReturnType<typeof createHeldIn>,
): LaneGauge {
  const { n, memory, patterns } = frame;
  const average = laneAverage(spec, frame);
  const { rarest } = memory.kernel;
  const packed = memory.put(reach);
  const rarities = memory.take(SLOT * n);
  const held = frame.section(4 * n, (losses, place) => {
    const values = losses === null ? null : heldIn(losses);
    for (let k = 0; k < n; k += 1) memory.floats[place / 4 + k] = values === null ? 1 : values[k]!;
  });
  return {
    step: (stream, state, fresh, statistic) => {
      average(stream, state, fresh);
      rarest(n, state, patterns.at(held), packed, rarities, statistic);
    },
    // Squared twice: the channel that made the statistic takes the blame.
    blame: (lane, out) => {
      for (let k = 0; k < n; k += 1) {
        const rarity = memory.of(rarities, k, lane);
        out[k] = rarity * rarity * (rarity * rarity);
      }
    },
  };
}
