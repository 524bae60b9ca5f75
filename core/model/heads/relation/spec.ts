// What a bundle says of the relation head.
import { TelltaleError } from '../../../errors.ts';
import type { GaugeSpec } from '../../gauge/gauge.ts';
import { decodeShifts } from '../../gauge/marginal.ts';
import { decodeFloats } from '../../numbers.ts';
import type { HeadShape, HeadSpec } from '../head.ts';
import { inputCount, type RelationPlan, spreadInputCount } from './forecaster.ts';
import { type STREAMS, stateLayout } from './state.ts';

export interface RelationSpec extends HeadSpec, RelationPlan {
  readonly kind: 'relation';
  /**
   * base64 floats, 2·channels × inputCount, row after row: what the others foretell of each channel; what they and its
   * own level do.
   */
  readonly readout: string;
  /**
   * base64 floats, 3·channels × spreadInputCount, row after row: the log of the usual spread over the plain one, of the
   * first residual, of the second, of the movement.
   */
  readonly spreadReadout: string;
  /** base64 floats, 4·channels: the plain spread of the first residual, of the second, of the movement (> 0); the mean jitter. */
  readonly spreads: string;
  /** base64 floats, channels: events of the fleet's that a car's own are weighed against when its habit in `fine` is told, > 0. */
  readonly fleetEvents: string;
  readonly gauges: readonly RelationGauge[];
  /**
   * base64 floats, channels × channels: for each channel lost the root mean square by which what is foretold of each
   * channel is shifted, in its plain spread. Absent: not known, taken as 0.
   */
  readonly shifts?: string;
}

export interface RelationGauge extends GaugeSpec {
  readonly stream: (typeof STREAMS)[number];
}

export const relationShape = ({ gauges }: RelationSpec, channels: number): HeadShape => ({
  statistics: gauges.map(
    ({ stream, span, tails, reach }) => `${stream}-${span}${tails ? '-peak' : ''}${reach ? '-single' : ''}`,
  ),
  alone: gauges.map(({ reach }) => (reach === undefined ? 0 : 1)),
  // Distances of averaged relations rank the rows; single channels are noisy in between.
  ranks: gauges.map(({ tails }) => (tails ? 0 : 1)),
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
