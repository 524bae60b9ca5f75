// The CSV contract, through the commands as a person runs them: other data than ours will be run through it.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDetector } from '../../core/model/detector.ts';
import { scoreCsv } from '../../scoring/csv.ts';
import { handBundle } from '../support/hand-bundle.ts';
import { drive, SMALL_CATALOGUE } from '../support/small-fleet.ts';

const MAIN = new URL('../../main.ts', import.meta.url).pathname;
const run = promisify(execFile);

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function telltale(...args: readonly string[]): Promise<Ran> {
  try {
    const { stdout, stderr } = await run(process.execPath, [MAIN, ...args]);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

let dir: string;
const at = (name: string) => join(dir, name);

interface Line {
  readonly id: string;
  readonly timestamp: string;
  readonly score: number;
  readonly threshold: number;
  readonly alert: number;
  readonly top1: string;
  readonly top2: string;
}

function readScores(file: string): Line[] {
  const [header, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(header).toBe('id,timestamp,score,threshold,alert,top1,top2');
  return lines.map((line) => {
    const [id, timestamp, score, threshold, alert, top1, top2, more] = line.split(',');
    expect(more).toBeUndefined();
    return {
      id: id!,
      timestamp: timestamp!,
      score: Number(score),
      threshold: Number(threshold),
      alert: Number(alert),
      top1: top1!,
      top2: top2!,
    };
  });
}

/** Rows of drives as CSV: an extra text column, a constant one, an empty one, some holes. */
function csvOf(cars: Parameters<typeof drive>[0][]): string {
  const rows = ['run;when;speed;rpm;load;coolant;oil;always;note;empty;label'];
  for (const car of cars) {
    let i = 0;
    for (const { vin, ts, signals } of drive(car)) {
      const { speedKmh, rpm, loadPct, coolantC, oilKpa } = signals;
      const oil = i % 17 === 0 ? '' : oilKpa;
      const label = i >= (car.overheatsFrom ?? Number.POSITIVE_INFINITY) ? 1 : 0;
      const when = new Date(ts).toISOString().slice(0, 19).replace('T', ' ');
      rows.push([vin, when, speedKmh, rpm, loadPct, coolantC, oil, 7, 'fine', '', label].join(';'));
      i += 1;
    }
  }
  return `${rows.join('\r\n')}\r\n`;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-csv-'));
  writeFileSync(
    at('train.csv'),
    csvOf(Array.from({ length: 6 }, (_, i) => ({ vin: `run ${i}`, rows: 400, seed: i }))),
  );
  const test = csvOf([
    { vin: 'run 9', rows: 300, seed: 90 },
    { vin: 'hot', rows: 300, seed: 91, overheatsFrom: 200 },
  ]);
  writeFileSync(at('test.csv.gz'), gzipSync(test));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const columns = ['--id', 'run', '--time', 'when', '--ignore', 'label'] as const;

describe('train --csv and score --csv', () => {
  it('learns a recording and finds the fault in another, row by row', async () => {
    const trained = await telltale(
      'train',
      '--csv',
      at('train.csv'),
      ...columns,
      '--alert-budget',
      '1/h',
      '--out',
      at('model'),
    );
    expect(trained.err).toBe('');
    expect(trained.code).toBe(0);
    expect(trained.out).toMatch(/left out, not numeric: note\n/);
    expect(trained.out).toMatch(/left out, empty: empty\n/);
    expect(trained.out).toMatch(/with missing readings: oil \(6\.0 %\)/);
    expect(trained.out).toMatch(/the same in every row, watched for being something else: always\n/);
    expect(readdirSync(at('model'))).toEqual(
      expect.arrayContaining(['bundle.json', 'card.json', 'model.json', 'weights.bin']),
    );

    const scored = await telltale(
      'score',
      '--csv',
      at('test.csv.gz'),
      ...columns,
      '--model',
      at('model'),
      '--out',
      at('scores.csv'),
    );
    expect(scored.code).toBe(0);
    expect(scored.out).toMatch(/^scored 600 rows of 2 ids: \d+ alerts? at threshold/);
    const lines = readScores(at('scores.csv'));
    expect(lines.length).toBe(600);
    expect(lines.map(({ id }) => id)).toEqual([...Array(300).fill('run 9'), ...Array(300).fill('hot')]);
    expect(lines[1]!.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    for (const { score, threshold, alert, top1 } of lines) {
      expect(Number.isFinite(score) && score >= 0).toBe(true);
      expect(threshold).toBe(lines[0]!.threshold);
      expect([0, 1]).toContain(alert);
      expect(['', 'speed', 'rpm', 'load', 'coolant', 'oil']).toContain(top1);
    }
    const hot = lines.slice(300 + 240);
    expect(hot.every(({ alert, score, threshold }) => alert === 1 && score >= threshold)).toBe(true);
    expect(hot.filter(({ top1 }) => top1 === 'coolant').length).toBeGreaterThan(50);
    expect(lines.slice(0, 300).filter(({ alert }) => alert === 1).length).toBeLessThan(60);
  });

  it('alarms on a reading however far it is from all that was ever read, constant or not', async () => {
    // Once, readings beyond ten spans of the history, and any that came again exactly, were taken as missing: the worse, the quieter.
    for (const off of [40, 400, 2000]) {
      for (const constant of [false, true]) {
        const lines = csvOf([{ vin: 'far', rows: 300, seed: 92 }])
          .trimEnd()
          .split('\r\n');
        const far = lines.map((line, i) => {
          if (i < 150) return line;
          const cells = line.split(';');
          cells[5] = String(constant ? 90.5 + off : Number(cells[5]) + off);
          return cells.join(';');
        });
        writeFileSync(at('far.csv'), `${far.join('\n')}\n`);
        const args = [
          '--csv',
          at('far.csv'),
          ...columns,
          '--model',
          at('model'),
          '--out',
          at('far-scores.csv'),
        ];
        const { code, err } = await telltale('score', ...args);
        expect(code).toBe(0);
        expect(err).not.toContain('taken as missing: coolant');
        const rows = readScores(at('far-scores.csv'));
        expect(rows.slice(0, 149).filter(({ alert }) => alert === 1)).toEqual([]);
        const told = rows.slice(170).filter(({ alert, top1 }) => alert === 1 && top1 === 'coolant');
        expect(told.length, `${off} ${constant}`).toBeGreaterThan(100);
      }
    }
  });

  it('raises nothing over a sensor that is lost half way, whichever, tells the loss, and still finds a fault', async () => {
    const healthy = { rows: 300, seed: 92 };
    const names = ['speed', 'rpm', 'load', 'coolant', 'oil'];
    const lostFrom = 150;
    /** A drive whose cells of this column are empty from half way on. */
    const losing = (car: Parameters<typeof drive>[0], column: number): string[] => {
      // The first row has a hole, and a signal that a car has never measured is lost, too: the drives begin whole.
      const [, , ...lines] = csvOf([car]).trimEnd().split('\r\n');
      return lines.map((line, i) => {
        const cells = line.split(';');
        if (i >= lostFrom) cells[column] = '';
        return cells.join(';');
      });
    };
    const [header] = csvOf([]).split('\r\n');
    const lines = [
      header!,
      ...names.flatMap((name, k) => losing({ ...healthy, vin: `lost ${name}` }, 2 + k)),
      ...losing({ ...healthy, vin: 'hot', overheatsFrom: 200 }, 3),
    ];
    writeFileSync(at('lost.csv'), `${lines.join('\n')}\n`);
    const args = [
      '--csv',
      at('lost.csv'),
      ...columns,
      '--model',
      at('model'),
      '--out',
      at('lost-scores.csv'),
    ];
    const { code, err } = await telltale('score', ...args);
    expect(code).toBe(0);
    const rows = readScores(at('lost-scores.csv'));
    expect(rows).toHaveLength(6 * 299);
    const alarmed = rows.filter(({ alert }) => alert === 1);
    expect(new Set(alarmed.map(({ id }) => id))).toEqual(new Set(['hot']));
    expect(alarmed.filter(({ top1 }) => top1 === 'coolant').length).toBeGreaterThan(50);
    const [, told = ''] =
      /not measured for longer than is usual, so they say nothing there: (.*)/.exec(err) ?? [];
    for (const name of names) {
      const [, count, ids] = new RegExp(`${name} \\((\\d+) rows of (\\d) ids?, first lost `).exec(told) ?? [];
      // It is lost from the first row that comes after more of a gap than this signal usually has.
      const cars = name === 'rpm' ? 2 : 1;
      expect(Number(ids), `${name}: ${told}`).toBe(cars);
      expect(Number(count)).toBeGreaterThan(cars * 140);
      expect(Number(count)).toBeLessThan(cars * 150);
    }
  });

  it('says of a file whose rows come twice, or go back, what training says of it', async () => {
    const [header, ...rows] = csvOf([{ vin: 'x', rows: 40 }])
      .trimEnd()
      .split('\r\n');
    const told = async (lines: readonly string[]) => {
      writeFileSync(at('order.csv'), [header, ...lines].join('\n'));
      const args = [...columns, '--model', at('model'), '--out', at('order-scores.csv')];
      return (await telltale('score', '--csv', at('order.csv'), ...args)).err;
    };
    expect(await told(rows)).not.toMatch(/twice|go back|older/);
    expect(await told(rows.flatMap((row) => [row, row]))).toContain(
      '40 rows the same as the row before, time and readings: in the file twice?',
    );
    expect(await told([...rows, ...rows])).toContain(
      'times of the same run go back once and go on from there',
    );
    const swapped = [...rows.slice(0, 20), rows[21]!, rows[20]!, ...rows.slice(22)];
    expect(await told(swapped)).toContain(
      '1 row older than the one before of the same run, scored as it stands (training leaves such rows out)',
    );
  });

  it('takes a newest-first file as it stands', async () => {
    const [header, ...rows] = csvOf([{ vin: 'x', rows: 300, seed: 5, overheatsFrom: 200 }])
      .trimEnd()
      .split('\r\n');
    writeFileSync(at('reversed.csv'), [header, ...rows.reverse()].join('\n'));
    const trained = await telltale('train', '--csv', at('reversed.csv'), ...columns, '--out', at('reversed'));
    expect(trained.out).toMatch(
      /data: rows stand newest first; taken as they stand\ndata: 300 rows of 1 car,/,
    );
    const scored = await telltale(
      'score',
      '--csv',
      at('reversed.csv'),
      ...columns,
      '--model',
      at('model'),
      '--out',
      at('reversed-scores.csv'),
    );
    expect(scored.code).toBe(0);
    const lines = readScores(at('reversed-scores.csv'));
    expect(lines[0]!.timestamp > lines[299]!.timestamp).toBe(true);
    // The hundred hot rows come first; the alert is released some rows after them.
    expect(lines.slice(40, 100).every(({ alert }) => alert === 1)).toBe(true);
    expect(lines.slice(200).some(({ alert }) => alert === 0)).toBe(true);
  });

  it('gives every row a line, also rows that are broken', async () => {
    const [header, ...rows] = csvOf([{ vin: 'x', rows: 20 }])
      .trimEnd()
      .split('\r\n');
    rows[3] = rows[3]!.replace(/;\d{4}-[^;]*/, ';yesterday');
    rows[7] = 'x;;;';
    rows[11] = rows[11]!.replace(/^x;([^;]*);[^;]*/, 'x;$1;fast');
    writeFileSync(at('broken.csv'), [header, ...rows].join('\n'));
    const scored = await telltale(
      'score',
      '--csv',
      at('broken.csv'),
      ...columns,
      '--model',
      at('model'),
      '--out',
      at('broken-scores.csv'),
    );
    expect(scored.code).toBe(0);
    expect(scored.err).toMatch(/line 5: column when: "yesterday" is no time/);
    const lines = readScores(at('broken-scores.csv'));
    expect(lines.length).toBe(20);
    expect(lines[3]!.timestamp).toBe('yesterday');
    expect(lines.every(({ score }) => Number.isFinite(score))).toBe(true);
  });

  it('runs again from its card to the same bundle, and refuses another file', async () => {
    const card = at('model/card.json');
    const again = await telltale('train', '--card', card, '--out', at('again'));
    expect(again.code).toBe(0);
    for (const file of ['bundle.json', 'weights.bin', 'model.json', 'card.json'])
      expect(readFileSync(at(`again/${file}`)).equals(readFileSync(at(`model/${file}`)))).toBe(true);
    expect(again.out).toContain("the card's model again, to the byte");
    const other = await telltale('train', '--card', card, '--csv', at('test.csv.gz'), '--out', at('never'));
    expect(other.code).toBe(1);
    expect(other.err).toMatch(/TRAINING_DATA: .*test.csv.gz is not the file of the card/);
    expect(readdirSync(dir)).not.toContain('never');
  });

  it.each([
    ['no output named', ['train', '--csv', 'train.csv'], /CONFIG_INVALID: --out/],
    ['no such file', ['train', '--csv', 'nope.csv', '--out', 'm'], /RECORDING_INVALID: .*nope.csv/],
    [
      'no such column',
      ['train', '--csv', 'train.csv', '--id', 'car', '--out', 'm'],
      /no column "car" for the id/,
    ],
    ['no model', ['score', '--csv', 'train.csv', '--out', 's.csv'], /CONFIG_INVALID: --model/],
    [
      'a folder that is no model',
      ['score', '--csv', 'train.csv', '--id', 'run', '--time', 'when', '--model', '.', '--out', 's.csv'],
      /MODEL_NOT_FOUND: .*bundle.json/,
    ],
    [
      'a misspelled column',
      ['train', '--csv', 'train.csv', '--id', 'runn', '--out', 'm'],
      /did you mean "run"\? \(the header has run, when/,
    ],
    [
      'flags of the log with a recording',
      ['train', '--csv', 'train.csv', '--from', '2h', '--promote'],
      /CONFIG_INVALID: --out: .*\n--from: goes with training from the log, .*\n--promote: goes with/,
    ],
    [
      'a folder that is not ours',
      ['train', '--csv', 'train.csv', '--out', '.'],
      /--out .*: holds what is no/,
    ],
    [
      'no folder for the scores',
      ['score', '--csv', 'train.csv', '--model', 'model', '--out', 'none/s.csv'],
      /--out .*: there is no folder .*none/,
    ],
    [
      'the recording as its own scores',
      ['score', '--csv', 'train.csv', '--model', 'model', '--out', 'train.csv'],
      /--out .*: is the recording itself/,
    ],
    ['a model for the stream', ['score', '--model', 'model'], /--model: goes with --csv; the stream/],
    ['an argument too many', ['models', 'all'], /CONFIG_INVALID: all: models takes no such argument/],
    ['a misspelled flag', ['train', '--alert-budgt', '1/h'], /did you mean "--alert-budget"\?/],
    [
      'a bad budget',
      ['train', '--csv', 'train.csv', '--alert-budget', '0', '--out', 'm'],
      /--alert-budget: must be a rate/,
    ],
  ])('says what is wrong: %s', async (_, args, message) => {
    const paths = args.map((arg, i) => (/^--(csv|out|model)$/.test(args[i - 1] ?? '') ? at(arg) : arg));
    const { code, err } = await telltale(...paths);
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

describe('scoreCsv', () => {
  it('says that its output could not be written, however late it hears of it', async () => {
    const names = SMALL_CATALOGUE.signals.map(({ name }) => name);
    writeFileSync(at('few.csv'), `id,time,${names.join()}\na,0,${names.map(() => 1).join()}\n`);
    const columns = { reading: {}, file: at('few.csv') };
    const scoring = scoreCsv({
      ...{ ...columns, out: at('no-such-folder/scores.csv'), detector: createDetector(handBundle()) },
      ...{ signal: new AbortController().signal, warn: () => undefined },
    });
    await expect(scoring).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('reads the numbers of a column in which many cells are none, and says how many', async () => {
    const names = SMALL_CATALOGUE.signals.map(({ name }) => name);
    const rows = Array.from(
      { length: 40 },
      (_, i) => `a,${i},${i % 4 === 1 ? 'error' : 90},2000,35,90,200,7`,
    );
    writeFileSync(at('holed.csv'), `id,time,${names.join()}\n${rows.join('\n')}\n`);
    const warned: string[] = [];
    await scoreCsv({
      ...{ file: at('holed.csv'), reading: {}, out: at('holed-scores.csv') },
      ...{ detector: createDetector(handBundle()), signal: new AbortController().signal },
      warn: (line) => warned.push(line),
    });
    expect(warned[0]).toMatch(/placeholders, taken as missing: speedKmh: 25\.0 % of cells are "error"$/);
    const scores = readFileSync(at('holed-scores.csv'), 'utf8').trim().split('\n').slice(1);
    // Speed is four spreads off where it can be read.
    expect(scores.map((line) => Number(line.split(',')[2]) > 3)).toEqual(rows.map((_, i) => i % 4 !== 1));
  });

  it('gives a row with another number of cells a line without a score, and says how many there are', async () => {
    const names = SMALL_CATALOGUE.signals.map(({ name }) => name);
    // Read by position, the speed of the torn rows would be another signal's 2000.
    const row = (i: number) => (i % 3 === 1 ? `a,${i},2000,35,90,200,7` : `a,${i},50,2000,35,90,200,7`);
    const rows = Array.from({ length: 30 }, (_, i) => row(i));
    writeFileSync(at('torn-rows.csv'), `id,time,${names.join()}\n${rows.join('\n')}\n`);
    const warned: string[] = [];
    const scored = await scoreCsv({
      ...{ file: at('torn-rows.csv'), reading: {}, out: at('torn-rows-scores.csv') },
      ...{ detector: createDetector(handBundle()), signal: new AbortController().signal },
      warn: (line) => warned.push(line),
    });
    expect(scored).toMatchObject({ rows: 30, faulty: 10 });
    expect(warned.join('\n')).toContain(
      '10 rows with another number of cells than the header (8), not read: the first is line 3 (7)',
    );
    const lines = readFileSync(at('torn-rows-scores.csv'), 'utf8').trim().split('\n').slice(1);
    expect(lines.map((line) => line.split(',')[2] === '')).toEqual(rows.map((_, i) => i % 3 === 1));
    expect(lines[1]).toMatch(/^a,1,,[\d.]+,0,,$/);
  });

  it("takes readings outside the model's range, codes and blanks as missing, and says so", async () => {
    const names = SMALL_CATALOGUE.signals.map(({ name }) => name);
    const rows = Array.from({ length: 60 }, (_, i) => {
      const speed = i === 20 ? 1e7 : i === 30 ? '  ' : 50 + (i % 12);
      return `a,${i},${speed},2000,35,90,200,7`;
    });
    writeFileSync(at('codes.csv'), `id,time,${names.join()}\n${rows.join('\n')}\n`);
    const warned: string[] = [];
    await scoreCsv({
      ...{ file: at('codes.csv'), reading: {}, out: at('codes-scores.csv') },
      ...{ detector: createDetector(handBundle()), signal: new AbortController().signal },
      warn: (line) => warned.push(line),
    });
    expect(warned.join('\n')).toMatch(
      /outside the catalogue's range, taken as missing: speedKmh \(1 cell, the first 10000000, possible/,
    );
    const scores = readFileSync(at('codes-scores.csv'), 'utf8').trim().split('\n').slice(1);
    expect(scores.every((line) => Number(line.split(',')[4]) === 0)).toBe(true);
  });

  it('scores a recording in which every column has cells that are no numbers', async () => {
    writeFileSync(at('torn.csv'), 'id,time,speedKmh\na,0,90\na,1,error\na,2,90\n');
    const warned: string[] = [];
    const { rows } = await scoreCsv({
      ...{ file: at('torn.csv'), reading: {}, out: at('torn-scores.csv') },
      ...{ detector: createDetector(handBundle()), signal: new AbortController().signal },
      warn: (line) => warned.push(line),
    });
    expect(rows).toBe(3);
    expect(warned.join('\n')).toMatch(/speedKmh: 33\.3 % of cells are "error"/);
  });

  it('does not read a column that is to be ignored, though the model knows it', async () => {
    writeFileSync(at('ignored.csv'), 'id,time,speedKmh,coolantC\na,0,900,90\na,1,900,90\n');
    const warned: string[] = [];
    await scoreCsv({
      ...{ file: at('ignored.csv'), out: at('ignored-scores.csv') },
      ...{ detector: createDetector(handBundle()), signal: new AbortController().signal },
      reading: { ignore: ['speedKmh'] },
      warn: (line) => warned.push(line),
    });
    expect(warned.join('\n')).toMatch(/ignores signals of the model, taken as missing: speedKmh/);
    expect(readFileSync(at('ignored-scores.csv'), 'utf8').split('\n')[2]).toMatch(/^a,1,0,/);
  });

  it('says when what always was the same moves, and when nearly all is in alert', async () => {
    const names = SMALL_CATALOGUE.signals.map(({ name }) => name);
    // The hand-made model watches speed and coolant; oil stood at 200 all along.
    const row = (i: number) => `a,${i},200,2000,35,90,${i === 70 || i > 110 ? 150 : 200},7`;
    const rows = Array.from({ length: 120 }, (_, i) => row(i));
    writeFileSync(at('moves.csv'), `id,time,${names.join()}\n${rows.join('\n')}\n`);
    const warned: string[] = [];
    await scoreCsv({
      ...{ file: at('moves.csv'), reading: {}, out: at('moves-scores.csv') },
      ...{
        detector: createDetector(handBundle({ still: { signals: [4], values: [200] } })),
        signal: new AbortController().signal,
      },
      warn: (line) => warned.push(line),
    });
    expect(warned).toHaveLength(3);
    expect(warned[0]).toMatch(/times: time: seconds since a start/);
    expect(warned[1]).toContain(`always the same in training: ${names[4]} (200; here something else`);
    expect(warned[1]).toContain('in 10 rows, first 150 at a 70');
    expect(warned[2]).toMatch(/111 of 120 rows are in alert/);
  });
});
