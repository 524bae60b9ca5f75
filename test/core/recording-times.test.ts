import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRecording, type Recording, type RecordingOptions } from '../../core/recording.ts';
import { timeDirection } from '../../core/recording-order.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-times-'));
});
afterAll(() => rm(dir, { recursive: true }));

const SECONDS = Array.from({ length: 40 }, (_, i) => i);
const two = (n: number) => String(n).padStart(2, '0');
/** 2023-11-15 22:13:20 UTC. */
const T = 1_700_086_400_000;

async function open(
  header: string,
  row: (i: number) => string,
  options: RecordingOptions = {},
): Promise<Recording> {
  const file = join(dir, 'times.csv');
  await writeFile(file, `${header}\n${SECONDS.map(row).join('\n')}\n`);
  return openRecording(file, options);
}

async function timesOf(recording: Recording): Promise<number[]> {
  const times: number[] = [];
  for await (const { tsMs } of recording.rows()) times.push(tsMs);
  return times;
}

const inOrder = SECONDS.map((i) => T + 1000 * i);

describe('a date and a time of day in two columns', () => {
  const clock = (i: number) => `22:13:${two(20 + i)}`;
  it.each<[header: string, row: (i: number) => string, time?: string]>([
    ['id,Date,Time,x', (i) => `a,2023-11-15,${clock(i)},${i % 7}`],
    ['id,Date,Time,x', (i) => `a,2023-11-15,${clock(i)},${i % 7}`, 'Time'],
    ['id,Date,Time,x', (i) => `a,2023-11-15,${clock(i)},${i % 7}`, 'Date'],
    ['id,D,H,x', (i) => `a,2023-11-15,${clock(i)},${i % 7}`, 'D + H'],
    ['id,Time,x,Date', (i) => `a,${clock(i)},${i % 7},15.11.2023`],
    ['id,Datum,Uhrzeit,x', (i) => `a,15.11.2023,${clock(i)},${i % 7}`],
    ['id;GPS Date;GPS Time;x', (i) => `a;15-Nov-2023;${clock(i)},000;${i % 7}`],
    ['id,date,time,x', (i) => `a,20231115,2213${20 + i},${i % 7}`],
    ['id,date,time,x', (i) => `a,231115,2213${20 + i}.00,${i % 7}`],
    ['id,utc_date,utc_time,x', (i) => `a,151123,2213${20 + i}.00,${i % 7}`],
    ['id,date,time,x', (i) => `a,45245,${((80_000 + i) / 86_400).toFixed(9)},${i % 7}`],
    ['id,date,time,x', (i) => `a,11/15/2023,10:13:${two(20 + i)} PM,${i % 7}`],
  ])('%s is joined', async (header, row, time) => {
    const short = (i: number) => row(i % 40);
    const recording = await open(header, short, { time });
    expect(recording.signals).toEqual(['x']);
    expect(recording.timeRemarks[0]).toContain('read together');
    expect(await timesOf(recording)).toEqual(inOrder);
  });

  it('goes over midnight with its date', async () => {
    const recording = await open('id,Date,Time,x', (i) =>
      i < 20 ? `a,2023-11-15,23:59:${40 + i},1` : `a,2023-11-16,00:00:${two(i - 20)},2`,
    );
    const start = Date.UTC(2023, 10, 15, 23, 59, 40);
    expect(await timesOf(recording)).toEqual(SECONDS.map((i) => start + 1000 * i));
  });

  it('leaves a column of whole dates and times alone beside one of a date', async () => {
    const recording = await open('id,date,timestamp,x', (i) => `a,2023-11-15,${T / 1000 + i},${i}`);
    expect(recording.timeColumn).toBe('timestamp');
    expect(await timesOf(recording)).toEqual(inOrder);
  });

  it('does not add a date to seconds since a start', async () => {
    const recording = await open('id,date,time,x', (i) => `a,2023-11-15,${i},${i}`);
    expect(recording.timeColumn).toBe('time');
    expect(await timesOf(recording)).toEqual(SECONDS.map((i) => 1000 * i));
  });
});

describe('times of day without a date', () => {
  const clock = (second: number) =>
    `${two(Math.floor(second / 3600) % 24)}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;

  it('go on over midnight, each car on its own, and it is said', async () => {
    const recording = await open('id,time,x', (i) => `${'ab'[i % 2]},${clock(86_380 + i)},${i}`);
    expect(recording.timeRemarks[0]).toContain('a fall of more than an hour begins the next day');
    expect(await timesOf(recording)).toEqual(SECONDS.map((i) => 1000 * (86_380 + i)));
  });

  it('go back over midnight where the file stands newest first', async () => {
    const recording = await open('id,time,x', (i) => `a,${clock(86_400 + 20 - i)},${i}`);
    const times = await timesOf(recording);
    expect(times.map((ms) => times[0]! - ms)).toEqual(SECONDS.map((i) => 1000 * i));
    expect(await timeDirection(recording)).toBe(-1);
  });
});

describe('a time column that cannot be one', () => {
  it.each<
    [what: string, header: string, row: (i: number) => string, options: RecordingOptions, message: RegExp]
  >([
    ['a date alone', 'id,Date,x', (i) => `a,2023-11-15,${i}`, {}, /column Date does not move.*--time/],
    [
      'one instant',
      'id,time,x',
      (i) => `a,1700086400,${i}`,
      {},
      /column time does not move: it is the same in every row/,
    ],
    [
      'numbers of a spreadsheet cut short',
      'id,time,x',
      (i) => `a,1.70009E+12,${i}`,
      {},
      /column time does not move/,
    ],
    [
      'one beside another that moves, when it was named,',
      'id,time,epoch,x',
      (i) => `a,5,${1_700_086_400 + i},${i}`,
      { time: 'time' },
      /column time does not move.*--time \(epoch looks like times\)/,
    ],
    [
      'words',
      'id,time,x',
      (i) => `a,soon ${i},${i}`,
      {},
      /column time: "soon 0" is no time that can be read \(read are dates such as/,
    ],
    ['a raw escape', 'id,time,x', (i) => `a,\u001b[31mred${i},${i}`, {}, /"\\u001b\[31mred0" is no time/],
    ['nothing', 'id,time,x', (i) => `a,,${i}`, {}, /column time is empty/],
    [
      'no such column',
      'id,time,x',
      (i) => `a,${i},${i}`,
      { time: 'tme' },
      /no column "tme" for the time; did you mean "time"\?/,
    ],
    ['no column like it', 'id,x,y', (i) => `a,${i},${i}`, {}, /no time column; name it with --time/],
  ])('%s is refused', async (_, header, row, options, message) => {
    await expect(open(header, row, options)).rejects.toMatchObject({
      code: 'RECORDING_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('gives way to another that moves, and it is said', async () => {
    const recording = await open('id,time,epoch,x', (i) => `a,5,${1_700_086_400 + i},${i}`);
    expect(recording.timeColumn).toBe('epoch');
    expect(recording.timeRemarks).toEqual([
      'times: epoch: seconds since 1970, by their size and the step between rows',
      'column time does not move: it is the same in every row of a car, such as "5"',
    ]);
  });

  it('a signal that is only called a time is not taken for one', async () => {
    const wiggling = open('id,injection time (ms),x', (i) => `a,${(7 * i) % 13},${i}`);
    await expect(wiggling).rejects.toThrow(/column injection time \(ms\) goes up and down/);
  });

  it('a few cells that are no times, or far from all others, are faults of their rows', async () => {
    const cell = (i: number) => (i === 3 ? 'soon' : i === 5 ? '99999999999999' : `${1_700_086_400 + i}`);
    const recording = await open('id,time,x', (i) => `a,${cell(i)},${i}`);
    const faults: string[] = [];
    for await (const { fault } of recording.rows()) if (fault !== null) faults.push(fault);
    expect(faults).toEqual([
      'line 5: column time: "soon" is no time',
      'line 7: column time: "99999999999999" is far from all other times',
    ]);
  });

  it('a column that moves slower than the rows come is read, and it is said', async () => {
    const recording = await open('id,time,x', (i) => `a,2023-11-15 22:1${Math.floor(i / 10)},${i}`);
    expect(recording.timeRemarks[1]).toBe(
      'time: the same as in the row before in 92 % of rows; rows come faster than it tells',
    );
  });

  it.each([
    'Time (sec)',
    'Elapsed [s]',
    'Zeit in Sekunden',
    'dateTime',
    'unixtime',
    'Zeitpunkt',
    'timestampS',
  ])('%s is found by its name', async (name) => {
    expect((await open(`id,${name},x`, (i) => `a,${i},${i}`)).timeColumn).toBe(name);
  });
});
