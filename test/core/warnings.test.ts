import { expect, it } from 'vitest';
import { Warnings } from '../../core/warnings.ts';

/** Warnings on a clock and a timer of the test's own. */
function byHand(quietMs = 1000) {
  const lines: string[] = [];
  let nowMs = 0;
  const timers: { atMs: number; call: () => void }[] = [];
  const warnings = new Warnings({
    warn: (line) => lines.push(line),
    clock: () => nowMs,
    quietMs,
    later: (ms, call) => timers.push({ atMs: nowMs + ms, call }),
  });
  const passTo = (ms: number) => {
    nowMs = ms;
    for (const timer of timers.splice(0)) {
      if (timer.atMs <= nowMs) timer.call();
      else timers.push(timer);
    }
  };
  return { lines, timers, warnings, passTo };
}

it('tells a cause at once, counts it while it is fresh, and tells the count when that time is over', () => {
  const { lines, warnings, passTo, timers } = byHand();
  warnings.report('reset', 'car 1: reset');
  for (let i = 2; i <= 500; i++) warnings.report('reset', `car ${i}: reset`);
  warnings.report('timeout', 'car 9: timeout');
  expect(lines).toEqual(['car 1: reset', 'car 9: timeout']);
  expect(timers).toHaveLength(1);
  passTo(1000);
  expect(lines.at(-1)).toBe('car 500: reset (499 of this kind were not told one by one)');
  warnings.report('reset', 'car 501: reset');
  expect(lines).toHaveLength(3);
  expect(warnings.totals()).toEqual({ reset: 501, timeout: 1 });
  warnings.flush();
  expect(lines.slice(3)).toEqual(['car 501: reset (1 of this kind were not told one by one)']);
});

it('tells a cause again after a quiet time', () => {
  const { lines, warnings, passTo } = byHand();
  warnings.report('reset', 'car 1: reset');
  passTo(1000);
  warnings.report('reset', 'car 2: reset');
  expect(lines).toEqual(['car 1: reset', 'car 2: reset']);
});

it('holds a bounded number of causes, whatever strangers make of their messages', () => {
  const { lines, warnings, timers } = byHand();
  for (let i = 0; i < 10_000; i++) warnings.report(`cause ${i}`, `message ${i}`);
  expect(lines).toHaveLength(65);
  expect(timers).toHaveLength(1);
  expect(Object.keys(warnings.totals())).toHaveLength(65);
  warnings.flush();
  expect(lines.at(-1)).toBe('message 9999 (9935 of this kind were not told one by one)');
});

it('gives the place of a cause that is long over to a new one', () => {
  const { lines, warnings, passTo } = byHand();
  for (let i = 0; i < 64; i++) warnings.report(`cause ${i}`, `message ${i}`);
  passTo(10_000);
  warnings.report('new', 'something new');
  warnings.report('newer', 'something newer');
  expect(lines.slice(64)).toEqual(['something new', 'something newer']);
});

it('prints one line and no tricks, whatever stands in the message', () => {
  const { lines, warnings } = byHand();
  warnings.report('x', 'client a\nserve: all is well\u001b[2J: gone');
  expect(lines).toEqual(['client a\\nserve: all is well\\u001b[2J: gone']);
});
