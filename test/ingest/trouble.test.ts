import { expect, it } from 'vitest';
import { Trouble } from '../../ingest/trouble.ts';

it('tells a cause at once, counts it while it is fresh, and tells the count', () => {
  const lines: string[] = [];
  let nowMs = 0;
  const trouble = new Trouble(
    (line) => lines.push(line),
    () => nowMs,
    1000,
  );
  trouble.report('reset', 'car 1: reset');
  for (let i = 2; i <= 500; i++) trouble.report('reset', `car ${i}: reset`);
  trouble.report('timeout', 'car 9: timeout');
  expect(lines).toEqual(['car 1: reset', 'car 9: timeout']);
  nowMs = 1000;
  trouble.report('reset', 'car 501: reset');
  expect(lines.at(-1)).toBe('car 501: reset (499 more of this kind before)');
  trouble.report('reset', 'car 502: reset');
  trouble.flush();
  expect(lines.slice(3)).toEqual(['car 502: reset (1 of this kind were not told one by one)']);
});

it('holds a bounded number of causes, whatever strangers make of their messages', () => {
  const lines: string[] = [];
  const trouble = new Trouble(
    (line) => lines.push(line),
    () => 0,
  );
  for (let i = 0; i < 10_000; i++) trouble.report(`cause ${i}`, `message ${i}`);
  expect(lines).toHaveLength(65);
  trouble.flush();
  expect(lines.at(-1)).toBe('message 9999 (9935 of this kind were not told one by one)');
});
