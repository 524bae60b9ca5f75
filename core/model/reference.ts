// The reference: the detector in plain JavaScript, one car at a time, head by head (heads/), in doubles. Nothing runs
// on it: it says what the kernel (lanes/, detector.ts) shall compute, and tests hold the two to each other within
// 1e-5.
import { bundleLayers, type ModelBundle } from './bundle.ts';
import type { CarState } from './car-state.ts';
import { createExplaining, createScoring, type Finding, newFinding, type Witness } from './finding.ts';
import { createFusion, planFusion } from './fusion.ts';
import type { HeadInput } from './heads/head.ts';
import { createHead, type HeadKinds } from './heads/kind.ts';
import { HEAD_KINDS } from './heads/kinds.ts';
import { compileNetwork } from './kernel.ts';
import { layOut } from './layout.ts';
import { createReadings } from './readings.ts';

export interface Reference {
  newState(): CarState;
  /** One event. The state is advanced; the finding is overwritten by the next step. */
  step(state: CarState, values: Float64Array | Float32Array, tsMs: number, at?: number): Finding;
  explain(): Finding;
}

/** @throws TelltaleError MODEL_INVALID */
export function createReference(bundle: ModelBundle, kinds: HeadKinds = HEAD_KINDS): Reference {
  const channels = bundle.scaler.signals.length;
  const layout = layOut(bundle, kinds);
  const readings = createReadings(bundle);
  const network = compileNetwork(bundleLayers(bundle));
  const heads = bundle.heads.map((spec) => createHead(spec, channels, kinds));
  const fusion = createFusion(planFusion(bundle, layout.heads));
  const score = createScoring(bundle, fusion, layout);
  const explain = createExplaining(bundle, fusion, layout);
  const finding = newFinding(bundle, fusion);
  const seen = readings.newSeen();
  const reconstruction = new Float64Array(channels);
  const features = new Float64Array(channels);
  const witness: Witness = {
    foretold: (out) => {
      out.set(reconstruction);
      for (const head of heads) head.expected?.(out);
    },
    blame: (head, statistic, parts) => heads[head]!.blame(statistic, parts),
  };
  const slots = layout.lossesAt + readings.stateSize;
  return {
    newState: () => ({ lastTsMs: Number.NEGATIVE_INFINITY, slots: new Float32Array(slots) }),
    step: (state, values, tsMs, at = 0) => {
      readings.see(seen, state, layout.lossesAt, values, tsMs, at);
      features.set(seen.features);
      network.run(features, reconstruction);
      const { present, moved, restart, steps, losses } = seen;
      const input: HeadInput = { features, present, moved, restart, steps, losses, reconstruction };
      layout.heads.forEach(({ stateAt, statisticsAt }, h) => {
        heads[h]!.step(input, state.slots, stateAt, finding.raw, statisticsAt);
      });
      score(finding, seen, state.slots);
      return finding;
    },
    explain: () => {
      explain(finding, witness);
      return finding;
    },
  };
}
