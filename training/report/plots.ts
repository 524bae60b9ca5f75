// Plots for the report as inline SVG: lines, histograms and bars, nothing but text and paths, so that the page works
// offline and prints. Colours come from the page's CSS variables, so a dark page has dark plots.

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** A number for a person: three significant digits, no exponent where it can be helped. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.01) return value.toFixed(2);
  return value.toPrecision(2);
}

export interface Line {
  readonly label: string;
  /** CSS colour, usually a variable. */
  readonly color: string;
  readonly points: readonly (readonly [number, number | null])[];
  readonly dashed?: boolean;
  /** Drawn as steps: the value holds until the next point. */
  readonly stepped?: boolean;
}

export interface Plot {
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly Line[];
  readonly xRange?: readonly [number, number];
  readonly yRange?: readonly [number, number];
  readonly logY?: boolean;
  /** Vertical and horizontal marks. */
  readonly marks?: readonly { readonly x?: number; readonly y?: number; readonly label: string }[];
  /** A shaded stretch of x. */
  readonly band?: { readonly from: number; readonly to: number; readonly label: string };
  readonly height?: number;
}

const WIDTH = 560;
const LEFT = 58;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 40;

/** Round values that divide a range into about `wanted` parts. */
export function ticksOf(low: number, high: number, wanted: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999) ?? 10 * power;
  const out: number[] = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step)
    out.push(Math.abs(v) < step * 1e-9 ? 0 : Number(v.toPrecision(12)));
  return out;
}

function rangeOf(values: readonly number[]): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!Number.isFinite(low)) return [0, 1];
  if (high - low < 1e-12) return [low - 0.5, high + 0.5];
  const pad = (high - low) * 0.05;
  return [low - pad, high + pad];
}

interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function linear([low, high]: readonly [number, number], from: number, to: number, wanted: number): Scale {
  return { at: (v) => from + ((v - low) / (high - low)) * (to - from), ticks: ticksOf(low, high, wanted) };
}

function logarithmic([low, high]: readonly [number, number], from: number, to: number): Scale {
  const a = Math.log10(Math.max(1e-9, low));
  const b = Math.max(a + 0.5, Math.log10(Math.max(1e-9, high)));
  const ticks: number[] = [];
  for (let p = Math.ceil(a); p <= b; p += 1) ticks.push(10 ** p);
  return { at: (v) => from + ((Math.log10(Math.max(v, 10 ** a)) - a) / (b - a)) * (to - from), ticks };
}

const n = (value: number) => value.toFixed(1);

function pathOf({ points, stepped }: Line, x: Scale, y: Scale): string {
  let path = '';
  let pen = false;
  let before = 0;
  for (const [px, py] of points) {
    if (py === null || !Number.isFinite(py)) {
      pen = false;
      continue;
    }
    const at = `${n(x.at(px))} ${n(y.at(py))}`;
    if (!pen) path += `M${at}`;
    else if (stepped) path += `L${n(x.at(px))} ${n(y.at(before))}L${at}`;
    else path += `L${at}`;
    pen = true;
    before = py;
  }
  return path;
}

/** A line plot as SVG with a legend underneath when there is more than one line. */
export function linePlot(plot: Plot, title: string): string {
  const height = plot.height ?? 260;
  const bottom = height - BOTTOM;
  const xs = plot.lines.flatMap(({ points }) => points.map(([px]) => px));
  const ys = plot.lines.flatMap(({ points }) => points.flatMap(([, py]) => (py === null ? [] : [py])));
  const x = linear(plot.xRange ?? rangeOf(xs), LEFT, WIDTH - RIGHT, 6);
  const yRange = plot.yRange ?? rangeOf(ys);
  const y = plot.logY ? logarithmic(yRange, bottom, TOP) : linear(yRange, bottom, TOP, 5);
  const grid = [
    ...y.ticks.map(
      (v) =>
        `<path class="grid" d="M${LEFT} ${n(y.at(v))}H${WIDTH - RIGHT}"/><text class="tick" x="${LEFT - 6}" y="${n(y.at(v) + 3.5)}" text-anchor="end">${shortNumber(v)}</text>`,
    ),
    ...x.ticks.map(
      (v) =>
        `<text class="tick" x="${n(x.at(v))}" y="${bottom + 16}" text-anchor="middle">${shortNumber(v)}</text>`,
    ),
  ];
  const band = plot.band
    ? `<rect class="band" x="${n(x.at(plot.band.from))}" y="${TOP}" width="${n(Math.max(1, x.at(plot.band.to) - x.at(plot.band.from)))}" height="${bottom - TOP}"/>`
    : '';
  const marks = (plot.marks ?? []).map(({ x: mx, y: my, label }) =>
    mx === undefined
      ? `<path class="mark" d="M${LEFT} ${n(y.at(my ?? 0))}H${WIDTH - RIGHT}"/><text class="note" x="${WIDTH - RIGHT - 4}" y="${n(y.at(my ?? 0) - 5)}" text-anchor="end">${escapeHtml(label)}</text>`
      : `<path class="mark" d="M${n(x.at(mx))} ${TOP}V${bottom}"/><text class="note" x="${n(x.at(mx) + 5)}" y="${TOP + 11}">${escapeHtml(label)}</text>`,
  );
  const lines = plot.lines.map(
    (line) =>
      `<path class="line" style="stroke:${line.color}"${line.dashed ? ' stroke-dasharray="5 4"' : ''} d="${pathOf(line, x, y)}"/>`,
  );
  const legend =
    plot.lines.length < 2
      ? ''
      : `<p class="legend">${plot.lines.map(({ label, color, dashed }) => `<span><i style="background:${color}${dashed ? ';opacity:.55' : ''}"></i>${escapeHtml(label)}</span>`).join('')}</p>`;
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}">${band}${grid.join('')}<path class="axis" d="M${LEFT} ${bottom}H${WIDTH - RIGHT}"/>${lines.join('')}${marks.join('')}<text class="label" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${height - 6}" text-anchor="middle">${escapeHtml(plot.xLabel)}</text><text class="label" transform="translate(13 ${(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(plot.yLabel)}</text></svg>${legend}`;
}

/** Two histograms over the same edges, heights as shares, on a square-root scale so that rare scores can be seen. */
export function histogramPlot(
  edges: readonly number[],
  sets: readonly { readonly label: string; readonly color: string; readonly shares: readonly number[] }[],
  mark: { readonly x: number; readonly label: string },
  xLabel: string,
): string {
  const height = 260;
  const bottom = height - BOTTOM;
  const x = linear([edges[0]!, edges.at(-1)!], LEFT, WIDTH - RIGHT, 6);
  const top = Math.sqrt(Math.max(...sets.flatMap(({ shares }) => [...shares]), 1e-6));
  const y = (share: number) => bottom - (Math.sqrt(share) / top) * (bottom - TOP);
  const bars = sets.map(({ color, shares }) => {
    const path = shares
      .map(
        (share, i) => `${i === 0 ? 'M' : 'L'}${n(x.at(edges[i]!))} ${n(y(share))}H${n(x.at(edges[i + 1]!))}`,
      )
      .join('');
    return `<path style="fill:${color};fill-opacity:.28;stroke:${color}" d="${path}V${bottom}H${n(x.at(edges[0]!))}Z"/>`;
  });
  const ticks = x.ticks.map(
    (v) =>
      `<text class="tick" x="${n(x.at(v))}" y="${bottom + 16}" text-anchor="middle">${shortNumber(v)}</text>`,
  );
  const shares = [0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8]
    .filter((share) => Math.sqrt(share) <= top)
    .map(
      (share) =>
        `<path class="grid" d="M${LEFT} ${n(y(share))}H${WIDTH - RIGHT}"/><text class="tick" x="${LEFT - 6}" y="${n(y(share) + 3.5)}" text-anchor="end">${shortNumber(share * 100)} %</text>`,
    );
  const legend = `<p class="legend">${sets.map(({ label, color }) => `<span><i style="background:${color}"></i>${escapeHtml(label)}</span>`).join('')}</p>`;
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="score distributions">${shares.join('')}${ticks.join('')}<path class="axis" d="M${LEFT} ${bottom}H${WIDTH - RIGHT}"/>${bars.join('')}<path class="mark" d="M${n(x.at(mark.x))} ${TOP}V${bottom}"/><text class="note" x="${n(x.at(mark.x) + 5)}" y="${TOP + 11}">${escapeHtml(mark.label)}</text><text class="label" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${height - 6}" text-anchor="middle">${escapeHtml(xLabel)}</text></svg>${legend}`;
}

/** A bar inside a table cell, for a share of 1. */
export function shareBar(share: number): string {
  const width = Math.max(0, Math.min(1, share)) * 100;
  return `<span class="bar"><i style="width:${width.toFixed(1)}%"></i></span>`;
}
