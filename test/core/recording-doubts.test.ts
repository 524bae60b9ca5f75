// Files that read without a complaint and mean something else: parts with other columns, clocks that were not set, times of day in
// figures, thousands that look like decimals, one car under two names. Each is read right, refused, or said.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRecording } from '../../core/recording.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-doubts-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const open = (content: string) => {
  const path = join(dir, 'file.csv');
  writeFileSync(path, content);
  return openRecording(path);
};
const rowsOf = async (content: string) => {
  const recording = await open(content);
  const rows: { id: string; tsMs: number; values: number[]; fault: string | null }[] = [];
  for await (const { id, tsMs, values, fault } of recording.rows())
    rows.push({ id, tsMs, values: [...values], fault });
  return { recording, rows, said: recording.remarks.join('\n') };
};
const START_S = 1_700_000_000;
const table = (n: number, row: (i: number) => string) =>
  Array.from({ length: n }, (_, i) => row(i)).join('\n');

describe('a header among the rows', () => {
  const first = `id,time,rpm,coolant\n${table(30, (i) => `a,${START_S + i},${800 + i},${20 + (i % 9)}`)}\n`;

  it.each([
    ['id,time,coolant,rpm', 'the columns in another order'],
    ['Time,ID,rpm,coolant', 'id and time the other way round'],
    ['id,time,coolant,oil', 'another signal'],
    ['id,time,coolant', 'a signal less'],
    ['id,time,rpm,oil,coolant', 'a signal more'],
  ])('refuses %s: %s', async (header) => {
    const content = `${first}${header}\n${table(5, (i) => `b,${START_S + i},${20 + i},${800 + i}`)}\n`;
    await expect(open(content)).rejects.toThrow(
      `line 32 is another header (${header.split(',').join(', ')})`,
    );
  });

  it.each(['ID, Time, RPM, Coolant', '\ufeffid,time,rpm,coolant', '"id" ,time ,rpm ,coolant '])(
    'skips the same one written in another way: %s',
    async (header) => {
      const { rows, said } = await rowsOf(`${first}${header}\nb,${START_S},900,30\n`);
      expect(said).toContain('the header comes again once, skipped');
      expect(rows).toHaveLength(31);
      expect(rows.at(-1)).toMatchObject({ id: 'b', values: [900, 30], fault: null });
    },
  );

  it('takes a car that is called as a column for a car', async () => {
    const { rows } = await rowsOf(`${first}${table(3, (i) => `rpm,${START_S + i},900,30`)}\n`);
    expect(rows.filter(({ id }) => id === 'rpm')).toHaveLength(3);
  });
});

describe('times that look right', () => {
  it('does not take a clock that is not set yet for a time, however often', async () => {
    const content = `id,time,x\n${table(400, (i) => `a,${i % 100 < 5 ? i % 100 : START_S + i},${i % 7}`)}\n`;
    const { rows } = await rowsOf(content);
    const faults = rows.filter(({ fault }) => fault !== null);
    expect(faults).toHaveLength(20);
    expect(faults[0]!.fault).toBe('line 2: column time: "0" is far from all other times');
  });

  it('tells a stretch of a receiver that lost 1024 weeks', async () => {
    const lost = (i: number) => (i >= 200 && i < 206 ? 1024 * 7 * 86_400 : 0);
    const { rows } = await rowsOf(`id,time,x\n${table(400, (i) => `a,${START_S + i - lost(i)},${i % 7}`)}\n`);
    expect(rows.filter(({ fault }) => fault?.endsWith('is far from all other times'))).toHaveLength(6);
  });

  /** A clock's figures without marks, from 22:13:20. */
  const clock = (i: number) =>
    new Date((22 * 3600 + 13 * 60 + 20 + i) * 1000).toISOString().slice(11, 19).replaceAll(':', '');

  it('reads times of day in figures, also past midnight', async () => {
    const { rows, recording } = await rowsOf(
      `sats,time,speed\n${table(7000, (i) => `9,${clock(i)}.00,${i % 90}`)}\n`,
    );
    expect(recording.timeRemarks[0]).toContain('times: time: HHMMSS');
    expect(rows.at(-1)!.tsMs - rows[0]!.tsMs).toBe(6_999_000);
  });

  it.each([
    ['seconds', 1],
    ['milliseconds', 1000],
  ])('still takes a count of %s for one', async (_, factor) => {
    const content = `id,time,x\n${table(400, (i) => `a,${Math.round((123_456 / factor + i) * factor)},${i % 7}`)}\n`;
    const { rows } = await rowsOf(content);
    expect(rows.at(-1)!.tsMs - rows[0]!.tsMs).toBe(399_000);
  });
});

it('asks what 759 beside 1.204 is, where no other column writes decimals', async () => {
  const dots = (value: number) => String(value).replace(/\B(?=\d{3}$)/, '.');
  const content = `id;time;rpm\n${table(200, (i) => `a;${START_S + i};${dots(759 + 7 * i)}`)}\n`;
  await expect(open(content)).rejects.toThrow('"1.004" may have decimals or thousands; say --decimal point');
});

/** A number with points that part its thousands. */
const dotted = (value: number) => String(value).replace(/\B(?=\d{3}$)/, '.');

it('asks so too when the car idles for longer than what is looked at first', async () => {
  const rpm = (i: number) => (i < 1500 ? 700 + (i % 90) : 900 + (i % 2000));
  const content = `id;time;rpm\n${table(3000, (i) => `a;${START_S + i};${dotted(rpm(i))}`)}\n`;
  await expect(open(content)).rejects.toThrow('"2.400" may have decimals or thousands; say --decimal point');
});

it('says that it read points as decimal ones, where semicolons part cells and no number tells', async () => {
  const content = `id;time;rpm;speed\n${table(600, (i) => `a;${START_S + i};${dotted(1800 + i)};${i % 50}`)}\n`;
  expect((await rowsOf(content)).said).toBe(
    'points read as decimal ones: rpm ("1.800"); if they part thousands, say --decimal comma',
  );
  // Another number does tell.
  const told = `id;time;rpm;speed\n${table(600, (i) => `a;${START_S + i};${dotted(1800 + i)};${i % 50}.5`)}\n`;
  expect((await rowsOf(told)).said).toBe('');
});

it('takes no exponent for a unit, however many there are and whatever other columns hold', async () => {
  const content = `id,time,leak,flow,odd\n${table(
    600,
    (i) => `a,${START_S + i},${1 + (i % 9)}.5E${(i % 12) - 6},6.${i % 9}E+01,"${1 + (i % 9)},000.5"`,
  )}\n`;
  const { recording, rows, said } = await rowsOf(content);
  expect(said).toBe('commas part thousands: odd');
  expect(recording.columns.map(({ name, unit, unreadable }) => [name, unit, unreadable])).toEqual([
    ['leak', '', 0],
    ['flow', '', 0],
    ['odd', '', 0],
  ]);
  expect(rows[10]!.values).toEqual([2.5e4, 61, 2000.5]);
});

it('says that a part of the cells lacks the unit of the others', async () => {
  const soc = (i: number) => (i % 4 === 3 ? `0.${40 + (i % 9)}` : `${40 + (i % 9)}%`);
  const content = `id,time,soc,speed\n${table(400, (i) => `${i % 4},${START_S + i},${soc(i)},${i % 90} km/h`)}\n`;
  expect((await rowsOf(content)).said).toBe(
    'numbers with their unit behind them: soc (%; 25.0 % of cells name none and are read as %), speed (km/h)',
  );
});

it('says that a part of the dates names no zone', async () => {
  const at = (i: number) => new Date((START_S + i) * 1000).toISOString().slice(0, 19);
  const content = `id,time,x\n${table(400, (i) => `${i % 4},${at(i)}${i % 4 === 3 ? '' : '+02:00'},${i % 7}`)}\n`;
  expect((await rowsOf(content)).recording.timeRemarks).toEqual([
    `times: time: dates such as "${at(0)}+02:00", 25.0 % of them without a zone: taken as UTC`,
  ]);
});

describe('one car under two names', () => {
  const cars = (...ids: string[]) =>
    `id,time,x\n${table(40, (i) => `${ids[i % ids.length]},${START_S + i},${i % 7}`)}\n`;

  it.each([
    ['7', '007'],
    ['1', '1.0'],
    ['CAR1', 'car1'],
    ['Müller Bus', 'Mu\u0308ller  Bus'],
    ['truck_1', 'Truck 1'],
  ])('says that %s and %s may be one', async (one, other) => {
    const { said, recording } = await rowsOf(cars(one, other));
    expect(said).toContain(
      `ids that differ in how they are written only, taken as different cars: "${one}" and "${other}"`,
    );
    expect(recording.ids.size).toBe(2);
  });

  it('says that a spreadsheet shortened them', async () => {
    const { said } = await rowsOf(cars('3.57E+14'));
    expect(said).toContain('ids that a spreadsheet shortened, so that several cars may be one: "3.57E+14"');
  });

  it('says nothing of ids that differ', async () => {
    const { said } = await rowsOf(cars('1', '11', '1-1', 'a-11', 'a1-1', '10'));
    expect(said).toBe('');
  });
});
