// What a part costs a score: the time of the detector with it less that without it, both in turn over the same rows.
import { type BundleContent, type ModelBundle, sealBundle } from '../../core/model/bundle.ts';
import { createDetector, type Detector } from '../../core/model/detector.ts';
import type { HeadSpec } from '../../core/model/heads/head.ts';
import { createHead } from '../../core/model/heads/kind.ts';
import { HEAD_KINDS } from '../../core/model/heads/kinds.ts';
import type { RelationSpec } from '../../core/model/heads/relation/spec.ts';
import type { VariantSpec } from '../../core/model/heads/variant/spec.ts';
import { MOST_IN_WAVE } from '../../core/model/wave.ts';
import { followStretches } from '../../training/calibrate/waves.ts';
import type { Series } from '../../training/data/series.ts';
import { median } from '../support.ts';
import type { Part } from './leave.ts';

/** Events followed, in multiples of the rows that are given. */
const TIMES = 4;

/** A head without some of its statistics: a relation head loses their gauges, any other goes when all of them do; null: gone. */
function headWithout(spec: HeadSpec, keeps: readonly boolean[]): HeadSpec | null {
  if (!keeps.includes(true)) return null;
  if (spec.kind === 'variant') {
    const head = headWithout((spec as VariantSpec).head, keeps);
    const variant: VariantSpec | null = head && { ...(spec as VariantSpec), head };
    return variant;
  }
  if (spec.kind !== 'relation') return spec;
  const relation = spec as RelationSpec;
  const left: RelationSpec = { ...relation, gauges: relation.gauges.filter((_, g) => keeps[g]) };
  return left;
}

/** The model with a part taken out of it, its numbers as they were. */
export function bundleWithout(content: BundleContent, { drop = () => false }: Part): ModelBundle {
  const channels = content.scaler.signals.length;
  const kept: number[] = [];
  let at = 0;
  const heads = content.heads.flatMap((spec) => {
    const { name, statistics } = createHead(spec, channels, HEAD_KINDS);
    const keeps = statistics.map((statistic) => !drop(`${name}.${statistic}`));
    const head = headWithout(spec, keeps);
    const left = head === null ? 0 : createHead(head, channels, HEAD_KINDS).statistics.length;
    for (const i of keeps.keys()) if (head !== null && (left === keeps.length || keeps[i])) kept.push(at + i);
    at += keeps.length;
    return head === null ? [] : [head];
  });
  const { voices } = content;
  return sealBundle({
    ...content,
    heads,
    tails: kept.map((i) => content.tails[i]!),
    ...(voices && { voices: { ...voices, limits: kept.map((i) => voices.limits[i]!) } }),
  });
}

/** CPU µs an event of following these rows: their first part, as a wave of cars meets them. */
function costOf(detector: Detector, series: Series): number {
  const to = Math.ceil((TIMES * series.tsMs.length) / MOST_IN_WAVE);
  const cars = Array.from({ length: MOST_IN_WAVE }, () => ({ series, from: 0, to }));
  const before = process.cpuUsage();
  followStretches(detector, cars, () => {});
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (to * MOST_IN_WAVE);
}

/** µs an event of the whole model, and for each part what it adds to them; of `turns` turns the median. */
export function costs(
  content: BundleContent,
  parts: readonly Part[],
  rows: Series,
  turns: number,
): { readonly whole: number; readonly parts: number[] } {
  const whole = createDetector(sealBundle(content));
  const measured = parts.map((part) => {
    const without = createDetector(bundleWithout(content, part));
    costOf(without, rows);
    return Array.from({ length: turns }, () => [costOf(whole, rows), costOf(without, rows)] as const);
  });
  return {
    whole: median(measured.flatMap((turn) => turn.map(([all]) => all))),
    parts: measured.map((turn) => median(turn.map(([all, left]) => all - left))),
  };
}
