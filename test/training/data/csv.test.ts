import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCsv } from '../../../training/data/csv.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-training-csv-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What is said of `rows` rows, each `perId` of one id. */
async function remarksOf(rows: number, perId: number): Promise<readonly string[]> {
  const file = join(dir, `${rows}-${perId}.csv`);
  const lines = Array.from({ length: rows }, (_, i) => `id${Math.floor(i / perId)},${i},${i % 7},${i % 5}`);
  writeFileSync(file, `run,t,a,b\n${lines.join('\n')}\n`);
  const { remarks } = await readCsv({ file, id: 'run', time: 't', ignore: [] }, '', {
    seed: 1,
    maxRows: 10_000,
    signal: new AbortController().signal,
  });
  return remarks;
}

describe('a recording read for training', () => {
  it('asks whether the id column is one when each id has hardly any rows', async () => {
    const times = 'times: t: seconds since a start, by the step between rows';
    await expect(remarksOf(300, 1)).rejects.toThrow(
      'column run has 300 ids in 300 rows: is it what tells cars apart? Name the column that does with --id COLUMN, or say --id none',
    );
    expect(await remarksOf(300, 5)).toEqual([
      times,
      '60 ids of 5.0 rows on average: is run what tells cars (or runs) apart?',
    ]);
    expect(await remarksOf(300, 30)).toEqual([times]);
  });
});

describe('a recording as a logger wrote it', () => {
  it('is read for training without what is no reading, and each cause is said', async () => {
    const file = join(dir, 'as-written.csv');
    const rows = Array.from({ length: 300 }, (_, i) => {
      const coolant = i % 12 === 5 ? '---' : String(80 + (i % 15));
      const rpm = i % 50 === 7 ? '65535' : String(800 + ((i * 37) % 400));
      const row = `${i}.0;${coolant};${rpm};${i % 60 === 9 ? '   ' : i % 9}`;
      return i === 100 ? `${row};1` : row;
    });
    const lines = ['Logger v7', '', 'Time (sec);coolant;rpm;load', 's;C;rpm;%', ...rows];
    writeFileSync(file, lines.join('\r\n'));
    const read = await readCsv({ file, id: '', time: '', ignore: [] }, '', {
      ...{ seed: 1, maxRows: 10_000 },
      signal: new AbortController().signal,
    });
    expect(read.remarks).toEqual(
      expect.arrayContaining([
        '1 line before the header skipped, the first: "Logger v7"',
        'line 4 gives units, no readings: s, C, rpm, %',
        '1 row with another number of cells than the header (4), not read: the first is line 105 (5)',
        'one car, named after the file: "as-written" (no column of ids; if there are several, name their column with --id)',
        'placeholders, taken as missing: coolant: 8.4 % of cells are "---"',
        expect.stringMatching(
          /^codes for "not available", taken as missing .*: rpm: 2\.0 % of cells are 65535$/,
        ),
        '1 faulty row left out, the first: line 105: 5 cells, the header has 4',
      ]),
    );
    expect(read.series.map(({ id, tsMs }) => [id, tsMs.length])).toEqual([['as-written', 299]]);
    const values = read.series[0]!.values;
    const column = (c: number) => [...values].filter((_, i) => i % 3 === c);
    expect(column(0).filter(Number.isNaN)).toHaveLength(25);
    expect(Math.max(...column(1).filter((value) => !Number.isNaN(value)))).toBeLessThan(1200);
    expect(column(2).filter(Number.isNaN)).toHaveLength(5);
    expect(read.catalogue.signals.map(({ name, unit, missing }) => [name, unit, missing])).toEqual([
      ['coolant', 'C', undefined],
      ['rpm', 'rpm', [65_535]],
      ['load', '%', undefined],
    ]);
  });
});

describe('rows that are in the file twice', () => {
  const rows = Array.from({ length: 100 }, (_, i) => `a,${i},${i % 7},${(i * 3) % 5}`);
  const remarksOfRows = async (lines: readonly string[]) => {
    const file = join(dir, 'twice.csv');
    writeFileSync(file, `id,t,x,y\n${lines.join('\n')}\n`);
    const { remarks } = await readCsv({ file, id: 'id', time: 't', ignore: [] }, '', {
      ...{ seed: 1, maxRows: 10_000 },
      signal: new AbortController().signal,
    });
    return remarks.slice(1);
  };

  it('are said, one behind the other or as a whole', async () => {
    expect(await remarksOfRows(rows)).toEqual([]);
    expect(await remarksOfRows(rows.flatMap((row) => [row, row]))).toContain(
      '100 rows the same as the row before, time and readings: in the file twice?',
    );
    expect(await remarksOfRows([...rows, ...rows])).toContain(
      'times of the same id go back once and go on from there: each part is taken as a drive of its own; are rows in the file twice?',
    );
  });
});

describe('a recording and a catalogue of its own', () => {
  const file = () => {
    const path = join(dir, 'own.csv');
    const rows = Array.from({ length: 100 }, (_, i) => `a,${i},${i % 7},${i % 5},${i % 3}`);
    writeFileSync(path, `id,t,rpm,coolant,load\n${rows.join('\n')}\n`);
    return path;
  };
  const said = async (names: readonly string[]) => {
    const path = join(dir, 'own.json');
    const signals = names.map((name) => ({ name, unit: '', min: -10, max: 10 }));
    writeFileSync(path, JSON.stringify({ name: 'own', version: 1, signals }));
    const { remarks } = await readCsv({ file: file(), id: '', time: 't', ignore: ['load'] }, path, {
      ...{ seed: 1, maxRows: 10_000 },
      signal: new AbortController().signal,
    });
    return remarks.slice(1);
  };

  it('leave nothing out without a word', async () => {
    expect(await said(['rpm', 'coolant'])).toEqual([]);
    expect(await said(['rpm', 'coolnt'])).toEqual([
      'left out, not in catalogue own: coolant',
      'in catalogue own, but no numeric column here: coolnt; did you mean "coolant"?',
    ]);
  });
});
