// The alerts that scores raise: those of one car in time order, by the step that the stream takes.
import {
  type AlertRule,
  beginsAnew,
  isActive,
  isStrange,
  NEVER_SEEN,
  stepAlert,
} from '../../core/model/hysteresis.ts';

/** 0/1 a row of one car: the alert is up. */
export function alertsOf(
  tsMs: Float64Array,
  scores: Float64Array,
  threshold: number,
  rule: AlertRule,
): Uint8Array {
  let window = NEVER_SEEN;
  return Uint8Array.from(scores, (score, i) => {
    window = stepAlert(rule, window, { tsMs: tsMs[i]!, strange: isStrange(score, threshold) });
    return isActive(window.state) ? 1 : 0;
  });
}

/** The scores of one car cut where a window begins anew: what lies on the two sides of a pause makes no alert together. */
export function withoutPauses(tsMs: Float64Array, scores: Float64Array, gapMs: number): Float64Array[] {
  const out: Float64Array[] = [];
  let from = 0;
  for (let i = 1; i <= scores.length; i += 1) {
    if (i < scores.length && !beginsAnew(tsMs[i - 1]!, tsMs[i]!, gapMs)) continue;
    out.push(scores.subarray(from, i));
    from = i;
  }
  return out;
}
