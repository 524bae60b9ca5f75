import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCatalogue } from '../../core/catalogue.ts';
import { catalogueOfRecording, openRecording } from '../../core/recording.ts';
import type { RecordingRow } from '../../core/recording-rows.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-recording-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

async function collect(rows: AsyncIterable<RecordingRow>): Promise<RecordingRow[]> {
  const all: RecordingRow[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

const SMALL = 'car,ts,speed,note,temp\na,0,10,cold,20\na,1,11,,\nb,0,12,warm,NaN\n';

describe('openRecording', () => {
  it('learns which columns are signals, and counts cars and rows', async () => {
    const recording = await openRecording(await file('small.csv', SMALL));
    expect(recording.signals).toEqual(['speed', 'temp']);
    expect(recording.rowCount).toBe(3);
    expect([...recording.ids]).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(recording.columns.find((c) => c.name === 'note')).toMatchObject({
      numeric: false,
      unreadable: 2,
      missing: 1,
    });
    expect(recording.columns.find((c) => c.name === 'temp')).toMatchObject({
      numeric: true,
      count: 1,
      missing: 2,
      min: 20,
      max: 20,
    });
  });

  it('streams every row with its line, its readings in the order asked for, and NaN for what is missing', async () => {
    const recording = await openRecording(await file('rows.csv', SMALL));
    const rows = await collect(recording.rows(['temp', 'absent', 'speed']));
    expect(rows.map((r) => r.line)).toEqual([2, 3, 4]);
    expect(rows.map((r) => [...r.values])).toEqual([
      [20, Number.NaN, 10],
      [Number.NaN, Number.NaN, 11],
      [Number.NaN, Number.NaN, 12],
    ]);
    expect(rows.map((r) => r.tsMs)).toEqual([0, 1000, 0]);
  });

  it('reads gzip, semicolons, a byte order mark and quoted cells', async () => {
    const content = gzipSync(Buffer.from('\ufeffid;time;"a;b";c\n1;5;"1";2\n'));
    const recording = await openRecording(await file('odd.csv.gz', content));
    expect(recording.signals).toEqual(['a;b', 'c']);
    expect((await collect(recording.rows())).map((r) => [r.id, r.tsMs, ...r.values])).toEqual([
      ['1', 5000, 1, 2],
    ]);
  });

  it('reads decimal commas where semicolons part the cells, and no thousands for them where commas do', async () => {
    const comma = await openRecording(await file('comma.csv', 'id;time;x;y\n1;0;1,5;-,25\n1;1;2;1,5e3\n'));
    expect(comma.signals).toEqual(['x', 'y']);
    expect((await collect(comma.rows())).map((r) => [...r.values])).toEqual([
      [1.5, -0.25],
      [2, 1500],
    ]);
    const thousands = await file('thousands.csv', 'id,time,x,y\n1,0,1.5,"1,234"\n');
    expect((await collect((await openRecording(thousands)).rows())).map((r) => [...r.values])).toEqual([
      [1.5, 1234],
    ]);
  });

  it('takes columns without a name for no signals, and counts them', async () => {
    const recording = await openRecording(await file('nameless.csv', ',id,time,x,\n0,a,0,10,\n1,a,1,11,\n'));
    expect(recording.signals).toEqual(['x']);
    expect(recording.nameless).toBe(2);
    expect((await collect(recording.rows())).map((r) => [r.id, r.fault, ...r.values])).toEqual([
      ['a', null, 10],
      ['a', null, 11],
    ]);
  });

  it.each([
    ['0', 0],
    ['1700000000', 1_700_000_000_000],
    ['1700000000000', 1_700_000_000_000],
    ['1700000000000000', 1_700_000_000_000],
    ['2020-03-09 10:14:33', Date.UTC(2020, 2, 9, 10, 14, 33)],
    ['2020-03-09T10:14:33+02:00', Date.UTC(2020, 2, 9, 8, 14, 33)],
    ['2020-03-09', Date.UTC(2020, 2, 9)],
  ])('reads the time %s', async (text, tsMs) => {
    const recording = await openRecording(await file('time.csv', `id,time,x\n1,${text},1\n`));
    expect((await collect(recording.rows()))[0]?.tsMs).toBe(tsMs);
  });

  it('names the line and column of a row that cannot be used, and keeps it in the stream', async () => {
    const recording = await openRecording(
      await file('broken.csv', 'id,time,x\n1,0,1\n,1,1\n1,noon,1\n1,2\n1,3,4\n'),
    );
    expect((await collect(recording.rows())).map((r) => r.fault)).toEqual([
      null,
      'line 3: column id is empty',
      'line 4: column time: "noon" is no time',
      'line 5: 2 cells, the header has 3',
      null,
    ]);
  });

  it.each([
    ['', 'is empty'],
    ['id,time,x\n', 'has a header but no rows'],
    ['a,b,c\n1,2,3\n', 'no time column; name it with --time (the header has a, b, c)'],
    ['id,time,x\n1,0,red\n', 'no numeric column besides id and time'],
    ['id,time,x\n1,0,"open\n', 'line 2: a quote opens here and never closes'],
  ])('refuses %j', async (content, message) => {
    const path = await file('refused.csv', content);
    await expect(openRecording(path)).rejects.toMatchObject({
      code: 'RECORDING_INVALID',
      message: expect.stringContaining(message),
    });
  });

  it('names a column that was asked for and is not there, and a file that is not there', async () => {
    const path = await file('columns.csv', SMALL);
    await expect(openRecording(path, { id: 'vehicle' })).rejects.toThrow('no column "vehicle" for the id');
    await expect(openRecording(path, { ignore: ['label'] })).rejects.toThrow('--ignore names column "label"');
    await expect(openRecording(join(dir, 'none.csv'))).rejects.toMatchObject({ code: 'RECORDING_INVALID' });
  });
});

describe.skipIf(!existsSync('/proc/self/fd'))('a reader that stops half-way', () => {
  /** Descriptors of this process that are the file. */
  const held = (path: string) =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === path;
      } catch {
        return false; // The one that listed the folder.
      }
    }).length;

  it.each(['large.csv', 'large.csv.gz'])('lets %s go', async (name) => {
    const rows = Array.from({ length: 60_000 }, (_, n) => `a,${n},${Math.sin(n)}`).join('\n');
    const content = Buffer.from(`id,time,x\n${rows}\n`);
    const path = await file(name, name.endsWith('.gz') ? gzipSync(content) : content);
    const recording = await openRecording(path);
    for await (const { line } of recording.rows()) if (line === 5) break;
    await expect.poll(() => held(path)).toBe(0);
  });
});

describe('catalogueOfRecording', () => {
  it('makes each numeric column a signal whose possible range is a thousand spans wider than what was seen', async () => {
    const recording = await openRecording(
      await file('cat.csv', 'id,time,ENGINE_RPM,k\n1,0,100,5\n1,1,200,5\n'),
    );
    const catalogue = catalogueOfRecording(recording, 'cat');
    expect(checkCatalogue(catalogue, 'cat').signals).toEqual([
      { name: 'ENGINE_RPM', unit: '', min: -99_900, max: 100_200, label: 'engine rpm' },
      { name: 'k', unit: '', min: -4995, max: 5005, label: 'k' },
    ]);
  });

  it('takes a column named by a sentence, and says of one that is longer that it can be no signal', async () => {
    const of = async (column: string) =>
      catalogueOfRecording(
        await openRecording(await file('long.csv', `id,time,${column}\n1,0,100\n`)),
        'long',
      );
    expect((await of('x'.repeat(200))).signals).toHaveLength(1);
    await expect(of('x'.repeat(201))).rejects.toMatchObject({
      code: 'CATALOGUE_INVALID',
      message: expect.stringContaining('200 characters'),
    });
  });
});

const drives = new URL('../../../shared/data/carobd-drives.csv.gz', import.meta.url).pathname;

describe.skipIf(!existsSync(drives))('real drives (skipped where the development data is absent)', () => {
  it('reads all rows of all 41 drives', async () => {
    const recording = await openRecording(drives);
    expect(recording.ids.size).toBe(41);
    expect(recording.signals).toHaveLength(17);
    let faulty = 0;
    for await (const row of recording.rows()) if (row.fault !== null) faulty += 1;
    expect(faulty).toBe(0);
  });
});
