// Files in sections, as VBOX and HP Tuners write them, headers of several levels, milliseconds in a column of their own, and columns
// that hold nothing but a code: read as they were meant, or refused with the next step.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { catalogueOfRecording, openRecording, type RecordingOptions } from '../../core/recording.ts';

const dir = mkdtempSync(join(tmpdir(), 'telltale-sections-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function read(content: string, options: RecordingOptions = {}, name = 'drive.csv') {
  const file = join(dir, name);
  writeFileSync(file, content);
  const recording = await openRecording(file, options);
  const rows: number[][] = [];
  const faults: string[] = [];
  for await (const { tsMs, values, fault } of recording.rows()) {
    if (fault === null) rows.push([tsMs, ...values]);
    else faults.push(fault);
  }
  return { recording, rows, faults, said: [...recording.remarks, ...recording.timeRemarks].join('\n') };
}

const refusal = (content: string, options: RecordingOptions = {}) =>
  read(content, options).then(
    () => 'read',
    (error: Error) => error.message,
  );

const times = (n: number) => Array.from({ length: n }, (_, i) => i);
const speed = (i: number) => 40 + ((i * 7) % 20);

const VBOX_HEAD = [
  'File created on 12/05/2010 at 10:53:10',
  '',
  '[header]',
  'satellites',
  'time',
  'velocity kmh',
  'height',
  '',
  '[comments]',
  '(c) 2001 - 2010 Racelogic',
  'VBOX II Version 4.5a',
  '',
];
const vboxRows = times(200).map(
  (i) =>
    `00${6 + (i % 2)} 10${53 + Math.floor((10 + i) / 60)}${String((10 + i) % 60).padStart(2, '0')}.00 ${speed(i)}.50 +00100.${i % 10}`,
);

describe('a file in sections', () => {
  it('of VBOX: names from [column names], rows below [data], parted by blanks', async () => {
    const names = ['[column names]', 'sats time velocity height', '', '[data]'];
    const { recording, rows, said, faults } = await read(
      [...VBOX_HEAD, ...names, ...vboxRows].join('\r\n'),
      {},
      'run.vbo',
    );
    expect(recording.signals).toEqual(['sats', 'velocity', 'height']);
    expect([...recording.ids.keys()]).toEqual(['run']);
    expect(faults).toEqual([]);
    expect(rows).toHaveLength(200);
    const tenFiftyThree = (10 * 3600 + 53 * 60) * 1000;
    expect(rows[1]).toEqual([tenFiftyThree + 11_000, 7, speed(1) + 0.5, 100.1]);
    expect(said).toContain('names from section [column names], rows from line 17 on, below [data]');
    expect(said).toContain('times: time: HHMMSS; there is no date');
  });

  it('of HP Tuners: names and units from [Channel Information], rows below [Channel Data]', async () => {
    const head = [
      'HP Tuners CSV Log File',
      'Version: 1.0',
      '',
      '[Log Information]',
      'Creation Time: 11/15/2023 10:13:20 PM',
      'Notes: pulls, then home',
      '',
      '[Channel Information]',
      '0,12,13,2114',
      'Offset,Engine RPM,Vehicle Speed,Coolant Temp',
      's,rpm,km/h,°C',
      '',
      '[Channel Data]',
    ];
    const lines = times(60).map((i) => `${(i / 2).toFixed(3)},${900 + i},${speed(i)},${80 + (i % 5)}`);
    const { recording, rows, said } = await read([...head, ...lines].join('\n'));
    expect(rows.slice(0, 2)).toEqual([
      [0, 900, 40, 80],
      [500, 901, 47, 81],
    ]);
    expect(rows).toHaveLength(60);
    expect(catalogueOfRecording(recording, 'c').signals.map(({ name, unit }) => [name, unit])).toEqual([
      ['Engine RPM', 'rpm'],
      ['Vehicle Speed', 'km/h'],
      ['Coolant Temp', '°C'],
    ]);
    expect(said).toContain('names from section [Channel Information], rows from line 14 on');
    expect(said).toContain('times: Offset: seconds since a start');
  });

  it('is refused where no section names its columns, and read with what the message says', async () => {
    const file = [...VBOX_HEAD, '[data]', ...vboxRows].join('\n');
    expect(await refusal(file)).toMatch(
      /its rows stand under \[data\], and no line .* names their 4 columns: .* --skip-lines/,
    );
    const mended = [...VBOX_HEAD, '[data]', 'sats time velocity height', ...vboxRows].join('\n');
    const { rows } = await read(mended, { skipLines: VBOX_HEAD.length + 1, delimiter: 'space' });
    expect(rows).toHaveLength(200);
  });

  it('is told by its headings: brackets in a cell make none', async () => {
    const { recording } = await read(
      `time [s],x [V]\n${times(20)
        .map((i) => `${i},${speed(i)}`)
        .join('\n')}\n`,
    );
    expect(recording.rowCount).toBe(20);
  });
});

describe('a header of several levels, as pandas writes it', () => {
  const rows = times(20).map((i) => `2023-11-15 22:13:${10 + i},${speed(i)},${speed(i) + 9},${900 + i}`);

  it.each([
    ['with the names of the index', [',speed,speed,rpm', ',mean,max,mean', 'time,,,']],
    ['without', [',speed,speed,rpm', ',mean,max,mean']],
    ['with no name twice', [',speed,load,rpm', ',mean,max,min', 'time,,,']],
  ])('is refused, with the line that joins it: %s', async (_, head) => {
    expect(await refusal([...head, ...rows].join('\n'))).toMatch(
      /lines 1 and 2 both name the columns \(speed, (speed|load), rpm; mean, max, m(?:ea|i)n\), .*df\.columns = \["_"\.join/,
    );
  });

  it('is none where a nameless first column numbers the rows, over units or not', async () => {
    const plain = times(20).map((i) => `${i},${i},${speed(i)},${900 + i}`);
    for (const head of [[',time,speed,rpm'], [',time,speed,rpm', ',s,km/h,1/min']]) {
      const { recording } = await read([...head, ...plain].join('\n'));
      expect(recording.signals).toEqual(['speed', 'rpm']);
    }
  });
});

describe('milliseconds in a column of their own', () => {
  const second = (i: number) => `22:13:${20 + Math.floor(i / 4)}`;
  const first = Date.UTC(2023, 10, 15, 22, 13, 20);

  it.each([
    ['Date,Time,Millis', (i: number) => `2023-11-15,${second(i)},${(i % 4) * 250}`],
    ['Timestamp,Milliseconds', (i: number) => `2023-11-15 ${second(i)},${(i % 4) * 250}`],
    ['Date,Time,ms', (i: number) => `2023-11-15,${second(i)},${String((i % 4) * 250).padStart(3, '0')}`],
  ])('are added to the times: %s', async (head, of) => {
    const lines = times(100).map((i) => `${of(i)},${speed(i)}`);
    const { recording, rows, said } = await read(`${head},x\n${lines.join('\n')}\n`);
    expect(recording.signals).toEqual(['x']);
    expect(recording.timeColumn).toBe(head.split(',').join(' + '));
    expect(rows.map(([ms]) => ms! - first)).toEqual(times(100).map((i) => 250 * i));
    expect(said).toMatch(/: with the milliseconds in M?/);
    // As it is said, it can be named.
    const again = await read(`${head},x\n${lines.join('\n')}\n`, { time: recording.timeColumn });
    expect(again.rows).toEqual(rows);
  });

  it('are a signal where they count on, where times tell them already, and where the column is ignored', async () => {
    const counting = times(100).map((i) => `2023-11-15 ${second(i)},${250 * i},${speed(i)}`);
    expect((await read(`Timestamp,Millis,x\n${counting.join('\n')}`)).recording.signals).toEqual([
      'Millis',
      'x',
    ]);
    const told = times(100).map(
      (i) => `2023-11-15 ${second(i)}.${(i % 4) * 250},${(i % 4) * 250},${speed(i)}`,
    );
    expect((await read(`Timestamp,Millis,x\n${told.join('\n')}`)).recording.signals).toEqual(['Millis', 'x']);
    const within = times(100).map((i) => `2023-11-15 ${second(i)},${(i % 4) * 250},${speed(i)}`);
    const { said } = await read(`Timestamp,Millis,x\n${within.join('\n')}`, { ignore: ['Millis'] });
    expect(said).toContain('the same as in the row before in 76 % of rows');
  });

  it('that are none make the row faulty', async () => {
    const lines = times(100).map(
      (i) => `2023-11-15 ${second(i)},${i === 7 ? 'x' : (i % 4) * 250},${speed(i)}`,
    );
    const { rows, faults } = await read(`Timestamp,Millis,x\n${lines.join('\n')}`);
    expect(rows).toHaveLength(99);
    expect(faults).toEqual(['line 9: column Timestamp + Millis: "2023-11-15 22:13:21 x" is no time']);
  });
});

describe('a column that holds nothing but a code', () => {
  it('is not measured, and it is said; another constant is a signal', async () => {
    const lines = times(30).map((i) => `${i},${speed(i)},65535,-9999,7`);
    const { recording, said } = await read(`time,x,fuel,maf,seven\n${lines.join('\n')}`);
    expect(recording.signals).toEqual(['x', 'seven']);
    expect(said).toContain(
      'nothing but a code for "not available", taken as not measured (to keep one, docs/what-is-read.md): fuel: 100.0 % of cells are 65535; maf: 100.0 % of cells are -9999',
    );
  });
});
