// Small line charts as SVG for the documentation: panels one above the other, readable on light and dark pages.

export interface Panel {
  readonly title: string;
  readonly lines: readonly { readonly values: Float64Array; readonly role: 'with' | 'without' }[];
  /** Where the fault begins, in samples; null: no mark. */
  readonly markS: number | null;
  /** What the horizontal axis spans; default: time in seconds. */
  readonly x?: { readonly from: number; readonly to: number };
}

const WIDTH = 760;
const LEFT = 52;
const RIGHT = 14;
const HEIGHT = 112;
const GAP = 34;
const TOP = 30;
const POINTS = 700;

const COLOURS = { with: '#d9480f', without: '#748ffc' } as const;

/** At most `POINTS` samples: lowest and highest of each stretch, so that bursts stay to be seen. */
function thin(values: Float64Array): (readonly [number, number])[] {
  const stretch = Math.max(1, Math.ceil((2 * values.length) / POINTS));
  const points: (readonly [number, number])[] = [];
  for (let from = 0; from < values.length; from += stretch) {
    let [low, high] = [-1, -1];
    for (let k = from; k < Math.min(values.length, from + stretch); k += 1) {
      if (Number.isNaN(values[k]!)) continue;
      if (low < 0 || values[k]! < values[low]!) low = k;
      if (high < 0 || values[k]! > values[high]!) high = k;
    }
    for (const k of [...new Set([low, high])].sort((a, b) => a - b)) if (k >= 0) points.push([k, values[k]!]);
  }
  return points;
}

/** A round step that splits a span into three to six parts. */
export function roundStep(span: number): number {
  const raw = span / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 2.5, 5, 10].map((m) => m * power).find((step) => step >= raw) ?? 10 * power;
}

const trimmed = (value: number) => String(Number(value.toFixed(4)));

function timeLabel(seconds: number, length: number): string {
  if (length > 3 * 3600) return `${trimmed(seconds / 3600)} h`;
  return `${trimmed(seconds / 60)} min`;
}

function panelSvg(panel: Panel, top: number): string {
  const length = panel.lines[0]!.values.length;
  const all = panel.lines.flatMap(({ values }) => [...values].filter((v) => !Number.isNaN(v)));
  let [low, high] = [Infinity, -Infinity];
  for (const v of all) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  const step = roundStep(Math.max(1e-6, high - low));
  low = Math.floor(low / step) * step;
  high = Math.max(low + step, Math.ceil(high / step) * step);
  const x = (k: number) => LEFT + (k / Math.max(1, length - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (v: number) => top + HEIGHT - ((v - low) / (high - low)) * HEIGHT;
  const parts = [`<text class="t" x="${LEFT}" y="${top - 8}">${panel.title}</text>`];
  for (let v = low; v <= high + step / 2; v += step) {
    parts.push(
      `<line class="g" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(v).toFixed(1)}" y2="${y(v).toFixed(1)}"/>`,
    );
    parts.push(
      `<text class="l" x="${LEFT - 6}" y="${(y(v) + 3.5).toFixed(1)}" text-anchor="end">${trimmed(v)}</text>`,
    );
  }
  parts.push(...axisSvg(panel, length, x, top + HEIGHT + 13));
  if (panel.markS !== null)
    parts.push(
      `<line class="m" x1="${x(panel.markS).toFixed(1)}" x2="${x(panel.markS).toFixed(1)}" y1="${top}" y2="${top + HEIGHT}"/>`,
    );
  for (const { values, role } of panel.lines) {
    const points = thin(values).map(([k, v]) => `${x(k).toFixed(1)},${y(v).toFixed(1)}`);
    parts.push(
      `<polyline fill="none" stroke="${COLOURS[role]}" stroke-width="1.4" points="${points.join(' ')}"/>`,
    );
  }
  return parts.join('\n');
}

function axisSvg(panel: Panel, length: number, x: (k: number) => number, y: number): string[] {
  const { from, to } = panel.x ?? { from: 0, to: length };
  const unit = panel.x ? 1 : length > 3 * 3600 ? 3600 : 60;
  const step = roundStep((to - from) / unit) * unit;
  const labels: string[] = [];
  for (let v = Math.ceil(from / step) * step; v <= to; v += step) {
    const text = panel.x ? trimmed(v) : timeLabel(v, length);
    labels.push(
      `<text class="l" x="${x(((v - from) / (to - from)) * (length - 1)).toFixed(1)}" y="${y}" text-anchor="middle">${text}</text>`,
    );
  }
  return labels;
}

/** A figure of panels; `legend` names the two roles, null: none. */
export function renderPanels(
  title: string,
  panels: readonly Panel[],
  legend: { readonly with: string; readonly without: string } | null,
): string {
  const start = TOP + (legend ? 42 : 14);
  const height = start + panels.length * (HEIGHT + GAP);
  const key = legend
    ? (['without', 'with'] as const)
        .map((role, k) => {
          const at = LEFT + k * 190;
          return `<line x1="${at}" x2="${at + 22}" y1="36" y2="36" stroke="${COLOURS[role]}" stroke-width="2.5"/><text class="l" x="${at + 28}" y="40">${legend[role]}</text>`;
        })
        .join('')
    : '';
  const style =
    'text{font-family:system-ui,sans-serif;fill:#5c6370}.h{font-size:15px;font-weight:600}.t{font-size:12px;font-weight:600}.l{font-size:11px}.g{stroke:#8884;stroke-width:1}.m{stroke:#888;stroke-dasharray:4 3}';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">`,
    `<style>${style}</style>`,
    `<text class="h" x="${LEFT}" y="20">${title}</text>`,
    key,
    ...panels.map((panel, k) => panelSvg(panel, start + k * (HEIGHT + GAP))),
    '</svg>',
    '',
  ].join('\n');
}
