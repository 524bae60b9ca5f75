// A residual head in lanes.

import type { LaneHead, LanePlace } from '../../lanes/head.ts';
import { SLOT } from '../../lanes/kernel.ts';
import { matrixBytes, packMatrix, packMatrixAt, squareOf } from '../../lanes/packs.ts';
import { decodeForecast, decodeResidual, type ResidualSpec } from './spec.ts';

/** Fills the residual, and says where it is. */
function laneResidual(spec: ResidualSpec, { frame, state }: LanePlace): { at: number; fill: () => void } {
  const { n, memory, block } = frame;
  const { dense, leftOver, leftOfForecast } = memory.kernel;
  if (spec.source === 'static') return { at: frame.features, fill: () => {} };
  const at = memory.row(n);
  if (spec.source === 'autoencoder') return { at, fill: () => leftOver(n, block, frame.said, at) };
  const { weights, constant } = decodeForecast(spec, n);
  const matrix = packMatrix(memory, { ...squareOf(weights, n), bias: (o) => constant[o]! });
  const said = memory.row(n);
  return {
    at,
    fill: () => {
      dense(state + SLOT, matrix, said);
      leftOfForecast(n, block, frame.loss, state, said, at);
    },
  };
}

/** @throws TelltaleError MODEL_INVALID */
export function createLaneResidual(spec: ResidualSpec, place: LanePlace): LaneHead {
  const { frame, state } = place;
  const { n, memory, block, patterns } = frame;
  const { average, dense, squares } = memory.kernel;
  const { whitening, spread, precision, marginals } = decodeResidual(spec, n);
  const residual = laneResidual(spec, place);
  const whiten = packMatrix(memory, squareOf(whitening, n));
  const whitened = memory.row(n);
  const weight = frame.weights.of(spec.span);
  const mean = spec.source === 'forecast' ? state + SLOT * (1 + n) : state;
  const turned = memory.row(n);
  const parts = memory.row(n);
  const matrix = frame.section(matrixBytes(n, n), (losses, at) =>
    packMatrixAt(memory, at, squareOf(losses === null ? precision : marginals(losses).left(), n)),
  );
  const inverses = frame.section(4 * n, (losses, at) => {
    const roots = losses === null ? null : marginals(losses).roots;
    for (let k = 0; k < n; k += 1) {
      const root = roots === null ? 1 / spread[k]! : losses!.lost[k] === 1 ? 0 : roots[k]!;
      memory.floats[at / 4 + k] = root === 0 ? 0 : 1 / root;
    }
  });
  return {
    step: (statistics) => {
      residual.fill();
      dense(residual.at, whiten, whitened);
      average(n, block, weight, whitened, mean);
      dense(mean, patterns.at(matrix), turned);
      squares(n, turned, patterns.at(inverses), parts, statistics);
    },
    blame: (lane, _index, out) => {
      for (let k = 0; k < n; k += 1) out[k] = memory.of(parts, k, lane);
    },
  };
}
