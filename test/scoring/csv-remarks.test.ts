import { describe, expect, it } from 'vitest';
import type { ModelBundle } from '../../core/model/bundle.ts';
import type { Recording } from '../../core/recording.ts';
import type { RecordingRow } from '../../core/recording-rows.ts';
import {
  alertRemarks,
  columnRemarks,
  LostSignals,
  RowSteps,
  signalsGiven,
} from '../../scoring/csv-remarks.ts';

const column = (name: string, count: number, unreadable = 0) => ({
  name,
  numeric: count > 0,
  count,
  missing: 0,
  unreadable,
  min: 0,
  max: 1,
});

describe('remarks on the columns of a recording', () => {
  const recording = {
    columns: [
      ...[column('a', 9), column('text', 0, 9), column('empty', 0), column('new', 9)],
      column('holed', 3, 1),
    ],
    ignored: ['label', 'left'],
    signals: ['a', 'new'],
  } as unknown as Recording;

  it('tells a column that is absent from one that is empty, one without numbers and one with cells that are none', () => {
    const names = ['a', 'text', 'empty', 'gone', 'holed', 'left'];
    expect(signalsGiven(recording, names)).toEqual(['a', 'holed']);
    expect(columnRemarks(recording, names)).toEqual([
      'lacks signals of the model, taken as missing: gone',
      'ignores signals of the model, taken as missing: left',
      'columns that are empty here, taken as missing: empty',
      'columns without a number here, taken as missing: text',
      'cells that are no numbers, each taken as missing: holed (25.0 %)',
      'has columns the model does not know, not used: new',
    ]);
  });

  it('names six and counts the others', () => {
    const names = Array.from({ length: 20 }, (_, i) => `s${i}`);
    expect(columnRemarks(recording, ['a', 'new', ...names])).toEqual([
      'lacks signals of the model, taken as missing: s0, s1, s2, s3, s4, s5 and 14 more',
    ]);
  });
});

describe('remarks on how far rows come apart', () => {
  const after = (stepMs: number) => {
    const steps = new RowSteps();
    for (let i = 0; i < 50; i += 1) steps.see(i === 7 ? 60_000 : stepMs);
    return steps.remarks(1000);
  };

  it('says nothing of a rate within a factor of two', () => {
    expect(after(1000)).toEqual([]);
    expect(after(500)).toEqual([]);
    expect(after(2000)).toEqual([]);
    expect(new RowSteps().remarks(1000)).toEqual([]);
  });

  it('looks at all rows, however many', () => {
    const steps = new RowSteps();
    for (let i = 0; i < 30_000; i += 1) steps.see(1000);
    for (let i = 0; i < 100_000; i += 1) steps.see(5000);
    expect(steps.remarks(1000)[0]).toMatch(/rows come 5 s apart/);
  });

  it('says so of another', () => {
    expect(after(5000)[0]).toMatch(/rows come 5 s apart, in training it was 1 s/);
    expect(after(200)[0]).toMatch(/rows come 0.2 s apart/);
  });
});

describe('remarks on alerts', () => {
  it('says when most rows are in alert', () => {
    expect(alertRemarks(99, 99)).toEqual([]);
    expect(alertRemarks(1000, 500)).toEqual([]);
    expect(alertRemarks(1000, 501)[0]).toMatch(/501 of 1,000 rows are in alert/);
  });
});

it('does not say a bound as if it were a count of ids', () => {
  const lost = new LostSignals({ catalogue: { signals: [{ name: 'load' }] } } as unknown as ModelBundle);
  const see = (count: number) => {
    for (let at = 0; at < count; at += 1)
      lost.see({ id: `C${at}`, timeText: '1' } as unknown as RecordingRow, [0]);
    return lost.remarks(['load'])[0];
  };
  expect(see(9999)).toContain('load (9,999 rows of 9,999 ids, first C0 1)');
  expect(see(10_001)).toContain('load (20,000 rows of at least 10,000 ids, first C0 1)');
});
