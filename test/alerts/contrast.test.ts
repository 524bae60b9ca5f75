// The page's colours against WCAG 2.2 AA, computed from the style sheet: 4.5 for text, 3 for lines, borders and marks that carry
// meaning (large text too), in the light and the dark theme and on the phone, which has one.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('../../alerts/page/page.css', import.meta.url), 'utf8');

type Rgb = readonly [number, number, number];

const hex = (text: string): Rgb => {
  const [, digits] = /^#([0-9a-f]{3}|[0-9a-f]{6})$/.exec(text) ?? [];
  if (digits === undefined) throw new Error(`${text} is no colour`);
  const six = digits.length === 3 ? [...digits].map((d) => d + d).join('') : digits;
  return [0, 2, 4].map((i) => Number.parseInt(six.slice(i, i + 2), 16)) as unknown as Rgb;
};

/** The custom properties of the first `:root` after a place in the sheet. */
function variables(from: number): Record<string, string> {
  const block = css.slice(
    css.indexOf('{', css.indexOf(':root', from)),
    css.indexOf('}', css.indexOf(':root', from)),
  );
  return Object.fromEntries(
    [...block.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name, value]),
  );
}

const light = variables(0);
const dark = { ...light, ...variables(css.indexOf('@media (prefers-color-scheme: dark)')) };

/** Relative luminance (WCAG 2.2). */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((c) =>
    c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: Rgb, b: Rgb): number {
  const [high, low] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (high! + 0.05) / (low! + 0.05);
}

/** `part` of the first over the second: what an opacity makes. */
const over = (a: Rgb, b: Rgb, part: number): Rgb =>
  a.map((c, i) => c * part + b[i]! * (1 - part)) as unknown as Rgb;

const TEXT: readonly (readonly [ink: string, paper: string])[] = [
  ...['--paper', '--card'].flatMap((paper) =>
    ['--ink', '--soft', '--warning-ink', '--expected', '--critical'].map((ink) => [ink, paper] as const),
  ),
  ['--calm-ink', '--calm'],
  ['--warning-ink', '--warning-soft'],
  ['--critical-ink', '--critical-soft'],
  ['--card', '--accent'],
  ['--paper', '--ink'],
];
const MARKS: readonly (readonly [mark: string, paper: string])[] = [
  ...['--paper', '--card'].flatMap((paper) => ['--edge', '--accent'].map((mark) => [mark, paper] as const)),
  ['--measured', '--card'],
  ['--expected', '--card'],
  ['--critical', '--card'],
];

describe.each([
  ['light', light],
  ['dark', dark],
])('in the %s theme', (_, theme) => {
  const of = (name: string) => hex(theme[name]!);

  it.each(TEXT)('text in %s can be read on %s', (ink, paper) => {
    expect(contrast(of(ink), of(paper))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(MARKS)('what %s marks on %s can be seen', (mark, paper) => {
    expect(contrast(of(mark), of(paper))).toBeGreaterThanOrEqual(3);
  });

  it('the name on a tile can be read, however strange its car', () => {
    expect(css).toContain('color: #2b1c00');
    expect(contrast(hex('#2b1c00'), of('--warning'))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(hex('#fff'), of('--critical-fill'))).toBeGreaterThanOrEqual(4.5);
    // A mixture by parts lies between its ends; its text is the calm tile's.
    const most = 0.55 * (Number.parseFloat(theme['--strange-part']!) / 100);
    for (let part = 0; part <= most; part += most / 10)
      expect(contrast(of('--strange-ink'), over(of('--warning'), of('--calm'), part))).toBeGreaterThanOrEqual(
        4.5,
      );
  });
});

describe('on the phone', () => {
  const screen = ['#1b2e36', '#18222a', '#101418'].map(hex);
  const onCard = screen.map((colour) => over([255, 255, 255], colour, 0.11));
  const said = (colour: string) => {
    expect(css).toContain(colour);
    return hex(colour);
  };

  it.each(['#eef1f3', '#b6c2c8', '#cdd6da', '#8fd3dc', '#a9b6bc', '#f0ad3d', '#ff9488'])(
    '%s can be read on a card',
    (ink) => {
      for (const paper of onCard) expect(contrast(said(ink), paper)).toBeGreaterThanOrEqual(4.5);
    },
  );

  it('its state and its count can be read', () => {
    expect(contrast(said('#ffe2ab'), said('#4a3a16'))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(hex('#fff'), said('#c93f31'))).toBeGreaterThanOrEqual(4.5);
    for (const paper of screen) expect(contrast(said('#a9bac1'), paper)).toBeGreaterThanOrEqual(4.5);
  });
});

it('keeps its meaning where the system chooses the colours', () => {
  const forced = css.slice(css.indexOf('@media (forced-colors: active)'));
  for (const mark of ['critical', 'warning', 'data-silent', 'data-lost', '.switch input:checked'])
    expect(forced).toContain(mark);
});
