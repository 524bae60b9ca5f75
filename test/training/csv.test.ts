import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCsv } from '../../training/csv.ts';

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
