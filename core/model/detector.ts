// The detector: a bundle made ready to follow cars. A wave takes events of different cars, with what is remembered of
// each, and gives each its score; one car alone is a wave of one. The numbers are computed four cars at a time
// (lanes/), and a car's are the same bits whoever it is together with. reference.ts says in plain JavaScript what is
// computed. Nothing is allocated in a step.
import type { ModelBundle } from './bundle.ts';
import { type CarState, decodeState, encodeState } from './car-state.ts';
import { createExplaining, createScoring, type Finding, newFinding, type Witness } from './finding.ts';
import { createFusion, planFusion } from './fusion.ts';
import type { HeadKinds } from './heads/kind.ts';
import { HEAD_KINDS } from './heads/kinds.ts';
import { createLaneRunner } from './lanes/runner.ts';
import { layOut } from './layout.ts';
import { createReadings } from './readings.ts';
import { type CarEvent, createEntering } from './wave.ts';

export type { Finding } from './finding.ts';

export interface Detector {
  readonly bundle: ModelBundle;
  /** `head.statistic` of each level. */
  readonly statistics: readonly string[];
  readonly threshold: number;
  newState(): CarState;
  /** One event: a wave of one. */
  step(state: CarState, values: Float64Array | Float32Array, tsMs: number, at?: number): Finding;
  /**
   * The first `count` events, of different cars, MOST_IN_WAVE at most. `found` is told what was found in each, in any
   * order.
   */
  wave(events: readonly CarEvent[], count: number, found: (finding: Finding, event: number) => void): void;
  /** Fills `expected` and `shares` of the finding told last; only when somebody wants to know. */
  explain(): Finding;
  encodeState(state: CarState): Uint8Array;
  /** @throws TelltaleError MODEL_INVALID when the bytes are not of this model */
  decodeState(bytes: Uint8Array): CarState;
}

/**
 * Makes a checked bundle ready to run.
 * @throws TelltaleError MODEL_INVALID when its parts do not fit each other
 */
export function createDetector(bundle: ModelBundle, kinds: HeadKinds = HEAD_KINDS): Detector {
  const layout = layOut(bundle, kinds);
  const readings = createReadings(bundle);
  const slotCount = layout.lossesAt + readings.stateSize;
  const fusion = createFusion(planFusion(bundle, layout.heads));
  const runner = createLaneRunner(bundle, layout, slotCount, kinds);
  const score = createScoring(bundle, fusion, layout);
  const explain = createExplaining(bundle, fusion, layout);
  const finding = newFinding(bundle, fusion);
  let told = 0;
  const witness: Witness = {
    foretold: (out) => runner.foretold(told, out),
    blame: (head, statistic, parts) => runner.blame(told, head, statistic, parts),
  };

  const entering = createEntering(
    runner,
    (event, { state, values, tsMs, at }) => {
      event.slots = state.slots;
      readings.see(event.seen, state, layout.lossesAt, values, tsMs, at);
    },
    () => readings.newSeen(),
  );
  const wave: Detector['wave'] = (events, count, found) => {
    const { together, places } = entering;
    for (let left = entering.enter(events, count); left > 0; ) {
      left = entering.takeTogether(left);
      runner.run(together, together.length);
      for (told = 0; told < together.length; told += 1) {
        const { seen, slots } = together[told]!;
        runner.raw(told, finding.raw);
        score(finding, seen, slots);
        found(finding, places[told]!);
      }
    }
    told = 0;
  };

  const one = {
    state: null as unknown as CarState,
    values: new Float64Array(0) as CarEvent['values'],
    at: 0,
    tsMs: 0,
  };
  const alone = [one];
  const nobody = () => {};
  return {
    bundle,
    statistics: layout.statistics,
    threshold: bundle.threshold,
    newState: () => ({ lastTsMs: Number.NEGATIVE_INFINITY, slots: new Float32Array(slotCount) }),
    step: (state, values, tsMs, at = 0) => {
      one.state = state;
      one.values = values;
      one.tsMs = tsMs;
      one.at = at;
      wave(alone, 1, nobody);
      return finding;
    },
    wave,
    explain: () => {
      explain(finding, witness);
      return finding;
    },
    encodeState,
    decodeState: (bytes) => decodeState(bytes, slotCount),
  };
}
