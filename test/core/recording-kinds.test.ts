// The kinds of files that tools and people really write: each is read as it was meant, with a line that says how, or refused with
// the next step. Values are checked, not only that something was read.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogueOfRecording, openRecording, type RecordingOptions } from '../../core/recording.ts';
import { Limits } from '../../core/recording-limits.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-kinds-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const write = (content: string | Buffer, name = 'file.csv') => {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
};

/** What is read of a file: values by row (faulty rows aside) and what is said. */
async function read(content: string | Buffer, options: RecordingOptions = {}, name = 'file.csv') {
  const recording = await openRecording(write(content, name), options);
  const rows: [string, ...number[]][] = [];
  const faults: string[] = [];
  for await (const { id, values, fault } of recording.rows()) {
    if (fault === null) rows.push([id, ...values]);
    else faults.push(fault);
  }
  return { recording, rows, faults, said: recording.remarks.join('\n') };
}

const refusal = (content: string | Buffer, options: RecordingOptions = {}) =>
  openRecording(write(content), options).then(
    () => 'read',
    (error: Error) => error.message,
  );

const none = Number.NaN;
const TABLE = 'id,time,x,y\na,0,1.5,2\na,1,3,4\n';
const VALUES = [
  ['a', 1.5, 2],
  ['a', 3, 4],
];
/** Rows of a column `x` beside a steady one. */
const column = (cells: readonly (string | number)[], delimiter = ',') =>
  `id${delimiter}time${delimiter}x${delimiter}y\n${cells
    .map((cell, i) => ['a', i, cell, i % 10].join(delimiter))
    .join('\n')}\n`;
const xOf = (rows: readonly (readonly [string, ...number[]])[]) => rows.map((row) => row[1]);
const wave = (n: number) => Array.from({ length: n }, (_, i) => 80 + ((i * 7) % 20) + (i % 3) / 10);

describe('where the table stands', () => {
  it.each([
    [
      'a preamble',
      `Logger v1\nFormat,3\n\n${TABLE}`,
      '2 lines before the header skipped, the first: "Logger v1"',
    ],
    ['a preamble padded to the width', `Session,Track,,\n,,,\n${TABLE}`, '2 lines before the header skipped'],
    ['comments', `#VIN: X\n// made by hand\n${TABLE}% the end\n`, '3 comment lines skipped'],
    [
      'a line of names and one of values above the table',
      `Vehicle,Tool,Date,Place\nGolf,v1,2023-11-15,Ulm\n\n${TABLE}`,
      '2 lines before the header skipped, the first: "Vehicle Tool Date Place"',
    ],
    ['a separator line', `sep=,\r\n${TABLE.replaceAll('\n', '\r\n')}`, 'line 1 names the separator'],
    [
      'a separator that is no usual one',
      `sep=^\n${TABLE.replaceAll(',', '^')}`,
      'line 1 names the separator',
    ],
    [
      'units below the header',
      TABLE.replace('\n', '\n,s,km/h,°C\n'),
      'line 2 gives units, no readings: s, km/h, °C',
    ],
    ['a header in a comment', `# ${TABLE}`, ''],
    [
      'a header that comes again',
      TABLE.replace('a,1', 'id,time,x,y\na,1'),
      'the header comes again once, skipped',
    ],
    ['old line ends', TABLE.replaceAll('\n', '\r'), ''],
    ['mixed line ends', TABLE.replace('\n', '\r\n'), ''],
    ['a byte order mark', `\ufeff${TABLE}`, ''],
    ['one cell more in every row, empty', TABLE.replaceAll(/(\d)\n/g, '$1,\n'), ''],
    ['tabs', TABLE.replaceAll(',', '\t'), ''],
    ['bars', TABLE.replaceAll(',', '|'), ''],
    ['blanks after commas, and quotes', 'id, time, "x", y\na, 0, "1.5", 2\na, 1, 3, 4\n', ''],
    ['UTF-16', Buffer.from(`\ufeff${TABLE}`, 'utf16le'), 'is not UTF-8, read as UTF-16'],
    ['UTF-16 without a mark', Buffer.from(TABLE, 'utf16le'), 'is not UTF-8, read as UTF-16'],
    ['UTF-16, big end first', Buffer.from(`\ufeff${TABLE}`, 'utf16le').swap16(), 'read as UTF-16'],
    ['gzip', gzipSync(`Logger v1\n${TABLE}`), '1 line before the header skipped'],
  ])('reads %s', async (_, content, says) => {
    const { rows, said, faults } = await read(content);
    expect(rows).toEqual(VALUES);
    expect(faults).toEqual([]);
    if (says === '') expect(said).toBe('');
    else expect(said).toContain(says);
  });

  it('names the lines of the file as they are below a preamble, and lets a person say how many there are', async () => {
    const content = `Logger,v1,x,y\nformat,3,a,b\n${TABLE}a,noon,1,1\n`;
    const { rows, faults } = await read(content, { skipLines: 2 });
    expect(rows).toEqual(VALUES);
    expect(faults).toEqual(['line 6: column time: "noon" is no time']);
  });

  it('reads Latin-1, also where it shows late in the file', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => `a,${i},1\n`).join('');
    const late = `id,time,temp\n${rows}`;
    for (const content of [
      Buffer.from('id,time,température\na,0,1.5\n', 'latin1'),
      Buffer.concat([Buffer.from(late), Buffer.from('b\u00e9,60000,2\n', 'latin1')]),
    ]) {
      const { recording, said } = await read(content);
      expect(said).toContain('is not UTF-8, read as Latin-1');
      expect([...recording.signals, ...recording.ids.keys()].join()).toMatch(/température|bé/);
    }
  });

  it.each([
    [
      'an archive',
      Buffer.from('PK\u0003\u0004\u0014\u0000\u0008\u0000data'),
      'is a zip archive, not CSV: unpack it',
    ],
    [
      'a workbook',
      Buffer.from('PK\u0003\u0004\u0014\u0000[Content_Types].xml'),
      'is a workbook (xlsx, ods), not CSV',
    ],
    ['a Parquet file', Buffer.from('PAR1\u0015\u0000'), 'is a Parquet file, not CSV: export it as CSV'],
    ['JSON lines', '{"id":"a","x":1}\n{"id":"a","x":2}\n', 'is JSON, not CSV'],
    ['a web page', '<!DOCTYPE html><html>', 'is a web page'],
    ['an archive within gzip', gzipSync(Buffer.from('PK\u0003\u0004\u0014\u0000')), 'is a zip archive'],
    [
      'a damaged gzip file',
      gzipSync(TABLE.repeat(50)).subarray(0, 40),
      'is a gzip file that ends early: copy it again',
    ],
    [
      'a quote left open in the header',
      'id,"time,x\na,0,1\n',
      'line 1: a quote opens here and does not close in it',
    ],
    [
      'a name of no column of its own, as R writes',
      'id,time,x\n1,a,0,1\n2,a,1,1\n',
      'Or does the header lack a name?',
    ],
    [
      'signals one after the other',
      `Series;Time;Value\n${['v', 'n'].map((name) => [0, 1, 2].map((t) => `${name};${t};${t}\n`).join('')).join('')}`,
      'whose name is in column Series ("v")',
    ],
    ['a binary file', Buffer.from([1, 2, 0, 3, 0, 0, 9, 200, 1]), 'is a binary file'],
    ['nothing', '', 'is empty'],
    ['blanks', ' \n\n', 'is empty'],
    [
      'no header',
      'a,0,1.5,2\na,1,3,4\na,2,3,4\n',
      'should name the columns, but holds values (a, 0, 1.5, 2)',
    ],
    ['one column', 'speed\n1\n2\n', 'name what does with --delimiter'],
    ['a quote left open', 'id,time,x\na,0,1\na,1,"2\na,2,3\n', 'line 3: a quote opens here and never closes'],
    [
      'a quote that closes rows later',
      'id,time,x\na,0,"1\na,1,2\na,2,"3\na,3,4\n',
      'line 2: a quote opens here and does not close before line 4',
    ],
    [
      'rows wider than the header',
      'id,time,x\na,0,1,5\na,1,2,5\n',
      '2 rows of 2 have another number of cells',
    ],
    [
      'readings in rows',
      `device,t,time,name,value\n${'a,0,0,speed,1\na,0,0,rpm,2\n'.repeat(4)}`,
      'has a row for each signal',
    ],
    [
      'readings in rows under other words',
      `id,time,was,wieviel\n${[0, 1, 2, 3].map((t) => `a,${t},v,1\na,${t},n,2\n`).join('')}`,
      "whose name is in column was (\"v\") and whose value is in wieviel: turn it so that each signal has a column, in pandas df.pivot_table(index=['id', 'time'], columns='was', values='wieviel')",
    ],
  ])('refuses %s', async (_, content, says) => {
    const message = await refusal(content);
    expect(message).toContain(says);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal must never get
    expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });

  it('refuses a folder', async () => {
    await mkdir(join(dir, 'folder'));
    await expect(openRecording(join(dir, 'folder'))).rejects.toThrow('is a folder: name the CSV file in it');
  });

  it('reads no row by position that has not the cells of the header, and counts it', async () => {
    const { recording, rows, faults, said } = await read(`${TABLE}a,2,9\na,3,9,9,9\na,4,5,6,\n`);
    expect(rows).toEqual([...VALUES, ['a', 5, 6]]);
    expect(faults).toEqual(['line 4: 3 cells, the header has 4', 'line 5: 5 cells, the header has 4']);
    expect(said).toBe(
      '2 rows with another number of cells than the header (4), not read: the first is line 4 (3)',
    );
    expect(recording.columns[0]).toMatchObject({ count: 3, max: 5 });
  });
});

describe('columns', () => {
  it('takes the file for one car where no column tells cars apart', async () => {
    const content = 'Time (sec),x\n0,1\n1,2\n';
    const { recording, rows, said } = await read(content, {}, 'My #1 drive.csv.txt');
    expect(rows.map(([id]) => id)).toEqual(['My -1 drive', 'My -1 drive']);
    expect(recording.idColumn).toBe('');
    expect(said).toContain('one car, named after the file: "My -1 drive" (no column of ids');
    expect((await read(TABLE, { id: 'none' })).rows).toEqual(VALUES.map(([, ...row]) => ['file', ...row]));
  });

  it('takes the filled one of two columns of ids, and not the one that numbers the rows', async () => {
    const empty = 'id,vin,time,x\n,a,0,1\n,a,1,2\n';
    expect((await read(empty)).said).toBe('cars told apart by vin: id is empty');
    const rows = Array.from({ length: 40 }, (_, i) => `${i},car${i % 2},${i},${i % 7}`).join('\n');
    const { recording, said } = await read(`id,vin,time,x\n${rows}\n`);
    expect([...recording.ids]).toEqual([
      ['car0', 20],
      ['car1', 20],
    ]);
    expect(said).toBe('cars told apart by vin: id is another in each row');
  });

  it('refuses ids of one row each, and a column of ids that is mostly empty', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i},${i},${i % 7}`).join('\n');
    expect(await refusal(`id,time,x\n${rows}\n`)).toContain(
      'column id has 40 ids in 40 rows: is it what tells cars apart? Name the column that does with --id COLUMN, or say --id none',
    );
    expect(await refusal('id,time,x\n,0,1\n,1,2\na,2,3\n', { id: 'id' })).toContain(
      'column id is empty in 66.7 %',
    );
  });

  it('tells columns of the same name apart, and leaves them out by name or number', async () => {
    const content = 'id,time,x,x,"a,b",\na,0,1,2,3,9\na,1,4,5,6,9\n';
    const { recording, said } = await read(content);
    expect(recording.signals).toEqual(['x', 'x (2)', 'a,b']);
    expect(said).toBe('columns of the same name, told apart as x (2); leave one out with --ignore');
    const { rows } = await read(content, { ignore: ['x (2)', '#5', '#6'] });
    expect(rows).toEqual([
      ['a', 1],
      ['a', 4],
    ]);
    expect(await refusal(content, { ignore: ['#7'] })).toContain(
      '--ignore names column "#7", which the header lacks',
    );
  });
});

describe('names', () => {
  it('lets no control character of a name reach a terminal, and takes what pandas calls nameless for that', async () => {
    const { recording } = await read('Unnamed: 0,id,time,s\u001b[31mx\u0007\n0,a,0,1\n1,a,1,2\n');
    expect(recording.signals).toEqual(['s [31mx']);
    expect(recording.nameless).toBe(1);
  });
});

describe('cells', () => {
  it('takes blanks as missing, and a zero as a zero', async () => {
    const { rows } = await read(column(['1', '   ', '0', ' 0.0 ', '', '\u00a0', '-0', '0e5']));
    expect(xOf(rows)).toEqual([1, none, 0, 0, none, none, 0, 0]);
  });

  it.each([
    '---',
    'n/a',
    '?',
    '#N/A',
    'NODATA',
    'ERR',
    'no data',
    'unknown',
    'inf',
    '-Infinity',
    '1.#QNAN',
    'Kein Wert',
  ])('takes %s in many cells as missing, and says so', async (text) => {
    const cells = wave(100).map((value, i) => (i % 10 === 3 ? text : value));
    const { recording, rows, said } = await read(column(cells));
    expect(recording.signals).toEqual(['x', 'y']);
    expect(xOf(rows).filter((value) => Number.isNaN(value!))).toHaveLength(10);
    expect(said).toBe(`placeholders, taken as missing: x: 10.0 % of cells are "${text}"`);
  });

  it('does not take a column of texts for one of numbers with gaps', async () => {
    const cells = wave(100).map((value, i) => (i % 4 === 0 ? value : ['idle', 'city', 'fast'][i % 3]!));
    expect((await read(column(cells))).recording.signals).toEqual(['y']);
  });

  it.each([
    [65_535, 1],
    [-999, 5],
    [4_294_967_295, 1],
    ['9223372036854775807', 1],
    [3.402_823_466_385_288_6e38, 1],
    [1e30, 2],
    [32_767, 2],
    [-9999, 2],
    [255, 4],
    [655.35, 4],
    // Nobody's code, but it comes again and again, far away.
    [7777, 4],
  ])('takes %s as missing, its range is that of the others, and it is said', async (code, times) => {
    const cells: (string | number)[] = wave(200);
    for (let k = 0; k < times; k += 1) cells[20 + 30 * k] = code;
    const { recording, rows, said } = await read(column(cells));
    expect(xOf(rows).filter((value) => Number.isNaN(value!))).toHaveLength(times);
    expect(recording.columns[0]).toMatchObject({ min: 80, max: 99.2, missing: times });
    expect(said).toContain(`codes for "not available", taken as missing`);
    expect(said).toContain(
      `x: ${((100 * times) / 200).toFixed(1)} % of cells are ${Number(Number(code).toPrecision(7))}`,
    );
    expect(catalogueOfRecording(recording, 'x').signals[0]!.missing).toEqual([Number(code)]);
  });

  it('takes what no float32 holds as missing, and the catalogue stays finite', async () => {
    const cells: (string | number)[] = wave(100);
    for (const i of [3, 50]) cells[i] = '1.7976931348623157E+308';
    cells[70] = '-1e999';
    const { recording, rows, said } = await read(column(cells));
    expect(xOf(rows).filter((value) => Number.isNaN(value!))).toHaveLength(3);
    expect(said).toBe(
      'numbers too large to be readings, taken as missing: x: 3.0 % of cells are beyond 3.4e38',
    );
    expect(catalogueOfRecording(recording, 'x').signals[0]!.max).toBeLessThan(1e6);
  });

  it('keeps what stands apart once, and says so; and what others lead up to, without a word', async () => {
    const once: number[] = wave(200);
    once[40] = 5000;
    const { rows, said } = await read(column(once));
    expect(xOf(rows)[40]).toBe(5000);
    expect(said).toContain('far outside all other readings, kept');
    expect(said).toContain('x: 5000 (1 cell)');
    const peak = [...wave(100), ...Array.from({ length: 30 }, (_, i) => 100 + 35 * i)];
    const saturated = [...peak, ...Array<number>(20).fill(1150)];
    const held = await read(column(saturated));
    expect(xOf(held.rows)).toEqual(saturated);
    expect(held.said).toBe('');
  });

  it('keeps a switch, and a column that is always the same', async () => {
    const cells = Array.from({ length: 100 }, (_, i) => (i % 10 < 3 ? 100 : 0));
    expect(xOf((await read(column(cells))).rows)).toEqual(cells);
    expect((await read(column(Array(50).fill(255)))).recording.columns[0]).toMatchObject({
      min: 255,
      max: 255,
    });
  });

  it('keeps a code that the catalogue keeps, and takes as missing what lies outside its range', async () => {
    const cells: number[] = wave(100);
    for (const i of [3, 13, 23]) cells[i] = 65_535;
    cells[60] = 40_000;
    const recording = await openRecording(write(column(cells)));
    const spec = { name: 'x', unit: '', min: 0, max: 70_000 };
    const xs = async (limits: Limits) => {
      const values: number[] = [];
      for await (const row of recording.rows(['x'], limits)) values.push(row.values[0]!);
      return values;
    };
    expect(await xs(new Limits([{ ...spec, missing: [] }]))).toEqual(cells);
    const narrow = new Limits([{ ...spec, max: 200, missing: [cells[5]!] }]);
    expect((await xs(narrow)).filter(Number.isNaN)).toHaveLength(
      4 + cells.filter((v) => v === cells[5]).length,
    );
    expect(narrow.remarks().join('\n')).toMatch(
      /x \(\d+ cells?\)\noutside the catalogue's range, .*x \(1 cell, the first 40000, possible 0 to 200\)/,
    );
  });
});

describe('how numbers are written', () => {
  const values = async (
    cells: readonly (string | number)[],
    delimiter = '\t',
    options: RecordingOptions = {},
  ) => {
    const { rows, said } = await read(column(cells, delimiter), options);
    return { x: xOf(rows), said };
  };

  it('tells thousands from decimals by all cells of the column', async () => {
    const grouped = await values(['818', '1,077', '2,450', '999', '12,345']);
    expect(grouped.x).toEqual([818, 1077, 2450, 999, 12_345]);
    expect(grouped.said).toBe('commas part thousands: x');
    expect((await values(['1,234.5', '999.5', '1,000', '7'])).x).toEqual([1234.5, 999.5, 1000, 7]);
    expect((await values(['1.234,5', '999,5', '1.000', '7'])).x).toEqual([1234.5, 999.5, 1000, 7]);
    expect((await values(['1 234', '12 345,5', "1'000", '7'])).x).toEqual([1234, 12_345.5, 1000, 7]);
    expect((await values(['1,5', '1,234', '0,123', '7'])).x).toEqual([1.5, 1.234, 0.123, 7]);
  });

  it('tells them where they come late in the file, and points that part thousands where commas are decimal', async () => {
    const late = [...Array(900).fill('800'), '1,077'];
    expect((await values(late)).x.at(-1)).toBe(1077);
    const german = `id;time;v;n\n${['12,5', '13,1', '9,8'].map((v, i) => `a;${i};${v};${['818', '1.077', '2.450'][i]}`).join('\n')}\n`;
    expect((await read(german)).rows).toEqual([
      ['a', 12.5, 818],
      ['a', 13.1, 1077],
      ['a', 9.8, 2450],
    ]);
  });

  it('refuses what may be either, until a person says which', async () => {
    const either = column(['1,234', '2,345', '3,456'], '\t');
    expect(await refusal(either)).toMatch(
      /column x: "1,234" may have decimals or thousands; say --decimal point or/,
    );
    expect(xOf((await read(either, { decimal: 'point' })).rows)).toEqual([1234, 2345, 3456]);
    expect(xOf((await read(either, { decimal: 'comma' })).rows)).toEqual([1.234, 2.345, 3.456]);
    const listed = await values(['1,234', '2,345', '3,456'], ';');
    expect(listed.x).toEqual([1.234, 2.345, 3.456]);
    expect(listed.said).toContain(
      'commas read as decimal ones: x ("1,234"); if they part thousands, say --decimal point',
    );
  });

  it('reads numbers with their unit, and no column of several units', async () => {
    const { x, said } = await values(['12.5 km/h', '13 km/h', '---', '0.5km/h'], ',');
    expect(x).toEqual([12.5, 13, none, 0.5]);
    expect(said).toContain('numbers with their unit behind them: x (km/h)');
    expect((await values(['85%', '7 %', '100%'], ',')).x).toEqual([85, 7, 100]);
    const mixed = await read(column(['12 km/h', '7 mph', '13 km/h']));
    expect(mixed.recording.signals).toEqual(['y']);
  });
});
