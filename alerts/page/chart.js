// Charts on canvas: a signal's measured line over what was expected and the usual spread around it; and the score's line.
import { style } from './dom.js';

/**
 * @typedef {object} Sparkline
 * @property {readonly number[]} ts ms, rising
 * @property {readonly (number | null)[]} values
 * @property {readonly (number | null)[]} expected
 * @property {number} usual Half the width of the band, in the signal's unit.
 * @property {number} fromMs Left edge.
 * @property {number} toMs Right edge.
 * @property {boolean} blamed
 */

/** Sizes the canvas to its box in device pixels and clears it. @param {HTMLCanvasElement} canvas */
function prepare(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext('2d');
  if (!context || width === 0) return null;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.lineJoin = 'round';
  context.lineCap = 'round';
  return { context, width, height };
}

/** A pause longer than this breaks the line: three usual steps. @param {readonly number[]} ts */
function gapOf(ts) {
  if (ts.length < 3) return Number.POSITIVE_INFINITY;
  const steps = ts
    .slice(1)
    .map((t, i) => t - (ts[i] ?? t))
    .sort((a, b) => a - b);
  return 3.5 * Math.max(1, steps[steps.length >> 1] ?? 1);
}

/** Runs of consecutive samples that are there. @param {readonly number[]} ts @param {readonly (number | null)[]} ys */
function runs(ts, ys) {
  const gapMs = gapOf(ts);
  /** @type {[number, number][][]} */
  const found = [];
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < ts.length; i += 1) {
    const [t, y] = [ts[i] ?? 0, ys[i]];
    if (y === null || y === undefined) {
      last = Number.NEGATIVE_INFINITY;
      continue;
    }
    if (t - last > gapMs) found.push([]);
    found.at(-1)?.push([t, y]);
    last = t;
  }
  return found;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number][][]} lines
 * @param {(t: number) => number} x
 * @param {(v: number) => number} y
 */
function trace(context, lines, x, y) {
  context.beginPath();
  for (const line of lines) {
    line.forEach(([t, v], i) => {
      if (i === 0) context.moveTo(x(t), y(v));
      else context.lineTo(x(t), y(v));
    });
    const only = line.length === 1 ? line[0] : undefined;
    if (only) context.lineTo(x(only[0]) + 0.5, y(only[1]));
  }
  context.stroke();
}

/** @param {HTMLCanvasElement} canvas @param {Sparkline} data */
export function drawSignal(canvas, data) {
  const paper = prepare(canvas);
  if (!paper) return;
  const { context, width, height } = paper;
  const { ts, values, expected, usual, fromMs, toMs, blamed } = data;
  const spread = Math.max(usual * 2, 1e-9);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const list of [values, expected])
    for (const v of list)
      if (v !== null) {
        low = Math.min(low, v);
        high = Math.max(high, v);
      }
  if (low > high) return;
  // Never so close that ordinary noise looks like a mountain.
  const room = Math.max(high - low + 2 * spread, 8 * spread, Math.abs(high) * 0.02, 1e-6);
  const middle = (low + high) / 2;
  const y = (/** @type {number} */ v) => height / 2 - ((v - middle) / room) * (height - 6);
  const x = (/** @type {number} */ t) => ((t - fromMs) / (toMs - fromMs)) * (width - 2) + 1;

  const model = runs(ts, expected);
  context.fillStyle = style('--band');
  for (const line of model) {
    context.beginPath();
    for (const [t, v] of line) context.lineTo(x(t), y(v + spread));
    for (const [t, v] of [...line].reverse()) context.lineTo(x(t), y(v - spread));
    context.fill();
  }
  context.strokeStyle = style('--expected');
  context.lineWidth = 1.4;
  trace(context, model, x, y);
  context.strokeStyle = style(blamed ? '--critical' : '--measured');
  context.lineWidth = blamed ? 2 : 1.6;
  trace(context, runs(ts, values), x, y);
}

/**
 * The score as a filled line; 1 is where it becomes strange.
 * @param {HTMLCanvasElement} canvas
 * @param {readonly number[]} ts
 * @param {readonly number[]} ratio the square of score/threshold
 * @param {number} fromMs
 * @param {number} toMs
 */
export function drawScore(canvas, ts, ratio, fromMs, toMs) {
  const paper = prepare(canvas);
  if (!paper) return;
  const { context, width, height } = paper;
  const top = Math.max(1.6, Math.min(8, Math.max(0, ...ratio) * 1.1));
  const y = (/** @type {number} */ v) => height - 3 - (Math.min(v, top) / top) * (height - 8);
  const x = (/** @type {number} */ t) => ((t - fromMs) / (toMs - fromMs)) * (width - 2) + 1;
  const line = y(1);
  const lines = runs(ts, ratio);
  const fade = context.createLinearGradient(0, 0, 0, height);
  const share = Math.max(0, Math.min(1, line / height));
  fade.addColorStop(0, style('--critical'));
  fade.addColorStop(share, style('--warning'));
  fade.addColorStop(Math.min(1, share + 0.02), style('--expected'));
  fade.addColorStop(1, style('--expected'));
  context.globalAlpha = 0.22;
  context.fillStyle = fade;
  for (const run of lines) {
    context.beginPath();
    context.moveTo(x(run[0]?.[0] ?? 0), height);
    for (const [t, v] of run) context.lineTo(x(t), y(v));
    context.lineTo(x(run.at(-1)?.[0] ?? 0), height);
    context.fill();
  }
  context.globalAlpha = 1;
  context.strokeStyle = style('--critical');
  context.lineWidth = 1;
  context.setLineDash([4, 4]);
  context.beginPath();
  context.moveTo(0, line);
  context.lineTo(width, line);
  context.stroke();
  context.setLineDash([]);
  context.strokeStyle = fade;
  context.lineWidth = 1.8;
  trace(context, lines, x, y);
}
