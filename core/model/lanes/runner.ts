// A bundle's heads over waves of up to four cars: their states into lanes, every head's step, their states back. What
// was found stays in the lanes until the next wave, for whoever wants it explained.
import { bundleLayers, type ModelBundle } from '../bundle.ts';
import { type Crowd, createLanes, type HeadKinds, kindOf, readsNetwork } from '../heads/kind.ts';
import type { Layout } from '../layout.ts';
import type { Seen } from '../readings.ts';
import { Frame, Patterns, Weights } from './frame.ts';
import type { LaneHead } from './head.ts';
import { LANES, LaneMemory, SLOT } from './kernel.ts';
import { laneNetwork } from './network.ts';

/** A car's event, ready for a lane. */
export interface LaneEvent {
  readonly seen: Seen;
  /** The car's slots; set by whoever fills the event. */
  slots: Float32Array;
  /** 1 for each head that follows the car in this event. */
  readonly active: Uint8Array;
  /** 1 for each head that did in the event before. */
  readonly followed: Uint8Array;
}

export interface LaneRunner {
  newEvent(seen: Seen): LaneEvent;
  /** Tells which heads follow the car in this event, and notes it in its slots. */
  enter(event: LaneEvent): void;
  /** Whether two events, entered, can be in one wave. */
  goTogether(one: LaneEvent, other: LaneEvent): boolean;
  /** Advances up to LANES cars that go together. */
  run(wave: readonly LaneEvent[], count: number): void;
  /** The statistics of a lane of the last wave. */
  raw(lane: number, out: Float64Array): void;
  foretold(lane: number, out: Float64Array): void;
  blame(lane: number, head: number, statistic: number, parts: Float64Array): void;
}

/** The crowds of cars that not all heads follow: whose a car is is told once for the heads of a crowd. */
function crowdsOf({ heads }: Layout, channels: number, kinds: HeadKinds) {
  const crowds = new Map<string, Crowd & { heads: number[]; places: number[] }>();
  for (const [h, { spec, stateAt }] of heads.entries()) {
    const crowd = kindOf(spec, kinds).crowd?.(spec, channels);
    if (!crowd) continue;
    const known = crowds.get(crowd.key) ?? { ...crowd, heads: [], places: [] };
    known.heads.push(h);
    known.places.push(stateAt);
    crowds.set(crowd.key, known);
  }
  return [...crowds.values()];
}

/** @throws TelltaleError MODEL_INVALID */
export function createLaneRunner(
  bundle: ModelBundle,
  layout: Layout,
  slotCount: number,
  kinds: HeadKinds,
): LaneRunner {
  const memory = new LaneMemory();
  const shared = { memory, weights: new Weights(memory), patterns: new Patterns(memory) };
  const channels = bundle.scaler.signals.length;
  const quiet = bundle.still.signals.length;
  const frame = new Frame(channels, shared);
  const network = laneNetwork(memory, bundleLayers(bundle), frame.features, frame.said);
  const codes = memory.row(quiet);
  const statistics = memory.row(layout.statistics.length);
  const states = memory.row(layout.headSlots);
  const stride = 16 * Math.ceil(slotCount / 4);
  const cars = memory.take(LANES * stride);
  const heads = layout.heads.map(({ spec, stateAt }): LaneHead => {
    return createLanes(spec, { frame, state: states + SLOT * stateAt, codes }, kinds);
  });
  const crowds = crowdsOf(layout, channels, kinds);
  /** Where no head asks for the network, it runs when an event is explained. */
  const always = bundle.heads.some((spec) => readsNetwork(spec, kinds));
  const { gather, scatter, useLanes } = memory.kernel;
  let own: Float32Array[] = [];

  /** Views of where the cars' slots are copied to. */
  const copies = (): Float32Array[] => {
    if (own[0]?.buffer !== memory.floats.buffer)
      own = Array.from({ length: LANES }, (_, lane) =>
        memory.floats.subarray((cars + lane * stride) / 4, (cars + lane * stride) / 4 + slotCount),
      );
    return own;
  };

  const fill = (lane: number, { seen, followed }: LaneEvent): void => {
    const { restart, steps, moved } = seen;
    frame.setPast(lane, restart, steps);
    frame.setReadings(lane, seen.features, seen.present);
    shared.weights.set(lane, steps);
    for (let i = 0; i < quiet; i += 1) memory.floats[codes / 4 + LANES * i + lane] = moved[i]!;
    for (const { heads: own } of crowds)
      for (const h of own) heads[h]!.setPast?.(lane, restart || followed[h] === 0, steps);
  };

  const runHead = (h: number, follows: boolean): void => {
    const { stateAt, stateSize, statisticsAt } = layout.heads[h]!;
    const to = statistics + SLOT * statisticsAt;
    if (!follows) {
      const { length } = layout.heads[h]!.statistics;
      memory.floats.fill(0, to / 4, to / 4 + LANES * length);
      return;
    }
    gather(cars + 4 * stateAt, stride, states + SLOT * stateAt, stateSize);
    heads[h]!.step(to);
    scatter(states + SLOT * stateAt, stateSize, cars + 4 * stateAt, stride);
  };
  let active: Uint8Array = new Uint8Array(heads.length);

  return {
    newEvent: (seen) => ({
      ...{ seen, slots: new Float32Array(0) },
      active: new Uint8Array(heads.length).fill(1),
      followed: new Uint8Array(heads.length).fill(1),
    }),
    enter: ({ seen, slots, active, followed }) => {
      for (const { heads: own, places, has } of crowds) {
        const before = slots[places[0]!] === 1;
        const now = has(seen.present, seen.restart, before) ? 1 : 0;
        for (let i = 0; i < own.length; i += 1) {
          followed[own[i]!] = before ? 1 : 0;
          active[own[i]!] = now;
          slots[places[i]!] = now;
        }
      }
    },
    goTogether: (one, other) => {
      if (one.seen.losses !== other.seen.losses) return false;
      for (let h = 0; h < heads.length; h += 1) if (one.active[h] !== other.active[h]) return false;
      return true;
    },
    run: (wave, count) => {
      shared.patterns.use(wave[0]!.seen.losses);
      active = wave[0]!.active;
      const lanes = count > LANES / 2 ? LANES : LANES / 2;
      const copy = copies();
      useLanes(lanes);
      for (let lane = 0; lane < lanes; lane += 1) {
        // A lane that no car is in does what the first one does; nobody looks.
        const event = wave[lane < count ? lane : 0]!;
        fill(lane, event);
        copy[lane]!.set(event.slots);
      }
      if (always) network();
      for (let h = 0; h < heads.length; h += 1) runHead(h, active[h] === 1);
      for (let lane = 0; lane < count; lane += 1) wave[lane]!.slots.set(copy[lane]!);
    },
    raw: (lane, out) => {
      for (let i = 0; i < out.length; i += 1) out[i] = memory.of(statistics, i, lane);
    },
    foretold: (lane, out) => {
      if (!always) network();
      for (let k = 0; k < channels; k += 1) out[k] = memory.of(frame.said, k, lane);
      for (let h = 0; h < heads.length; h += 1) if (active[h] === 1) heads[h]!.expected?.(lane, out);
    },
    blame: (lane, head, statistic, parts) => {
      if (active[head] === 1) heads[head]!.blame(lane, statistic, parts);
    },
  };
}
