// Leads a head of two channels and one statistic through events, keeping its state.
import type { Head } from '../../../../core/model/heads/head.ts';

/** The returned function takes one event and gives the statistic. */
export function follow(head: Head) {
  const state = new Float32Array(head.stateSize);
  const out = new Float64Array(1);
  return (features: number[], present = [1, 1], restart = false) => {
    const input = {
      features: Float64Array.from(features),
      present: Uint8Array.from(present),
      reconstruction: new Float64Array(2),
      restart,
      steps: 1,
    };
    head.step(input, state, 0, out, 0);
    return out[0]!;
  };
}
