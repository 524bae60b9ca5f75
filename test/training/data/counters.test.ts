import { describe, expect, it } from 'vitest';
import { checkCatalogue } from '../../../core/catalogue.ts';
import { seededRandom } from '../../../core/model/random.ts';
import { CounterSurvey, counterRemarks, silence } from '../../../training/data/counters.ts';

const random = seededRandom(1, 'counters');

interface Fleet {
  readonly name?: string;
  readonly cars: number;
  readonly rows: number;
  /** Reading of a car at a row. */
  readonly value: (car: number, row: number) => number;
  /** Ms of a row; default a row a second. */
  readonly tsMs?: (row: number) => number;
  readonly counter?: boolean;
  readonly direction?: 1 | -1;
}

function told({ name = 'x', cars, rows, value, tsMs = (row) => 1000 * row, counter, direction = 1 }: Fleet) {
  const catalogue = checkCatalogue(
    {
      name: 'test',
      version: 1,
      signals: [{ name, unit: '', min: 0, max: 1, ...(counter === undefined ? {} : { counter }) }],
    },
    'test',
  );
  const survey = new CounterSurvey(1, direction);
  for (let row = 0; row < rows; row += 1) {
    for (let car = 0; car < cars; car += 1) {
      const at = direction === 1 ? row : rows - 1 - row;
      survey.add(`car${car}`, direction * tsMs(at), Float64Array.of(value(car, at)));
    }
  }
  const kinds = Object.entries(survey.counters(catalogue)).filter(([, signals]) => signals.length > 0);
  expect(kinds.length).toBeLessThanOrEqual(1);
  return kinds[0]?.[0] ?? 'level';
}

/** 20 degrees warm up to 90 and then sway. */
const coolant = (car: number, row: number, sway: number) =>
  Math.round(20 + car + 70 * (1 - Math.exp(-row / 200)) + sway * Math.sin(row / 9));
const odometer = (car: number, row: number) => 21_000 + 4321.5 * car * car + Math.floor(row / 5) * 0.1;
const HOUR = 3_600_000;

describe('signals that only rise', () => {
  it.each<[what: string, fleet: Fleet]>([
    ['a row number', { cars: 6, rows: 200, value: (car, row) => 100_000 + 30_000 * car + row }],
    ['a row number of one car', { cars: 1, rows: 300, value: (_, row) => row }],
    ['a row number in steps of 20', { cars: 1, rows: 300, value: (_, row) => 20 * row }],
    ['running time in hours', { cars: 1, rows: 300, value: (_, row) => 812.4 + row / 3600 }],
    ['a rolling counter of 256', { cars: 2, rows: 2000, value: (_, row) => row % 256 }],
    ['the odometer of six cars', { cars: 6, rows: 300, value: odometer }],
    [
      'a whole-kilometre odometer',
      { cars: 6, rows: 900, value: (car, row) => Math.floor(odometer(car, row)) },
    ],
    ['a row number that counts down', { cars: 1, rows: 300, value: (_, row) => 5000 - row }],
    ['the odometer of one car', { cars: 1, rows: 300, value: odometer }],
    ['the odometer of two cars', { cars: 2, rows: 300, value: odometer }],
    [
      'an odometer of few rows by its name',
      { name: 'odometerKm', cars: 1, rows: 40, value: (_, row) => 7 + Math.floor(row / 9) * 0.1 },
    ],
    [
      'fuel used since the start, from 0 in each car',
      { cars: 4, rows: 300, value: (car, row) => Math.round(row * (2 + car) + Math.sin(row)) / 1000 },
    ],
    [
      'an odometer of one car that goes on after pauses',
      {
        cars: 1,
        rows: 400,
        value: (_, row) => 21_000 + Math.floor(row / 7) * 0.1,
        tsMs: (row) => 1000 * row + Math.floor(row / 100) * HOUR,
      },
    ],
    [
      'an odometer in a file that stands newest first',
      { cars: 6, rows: 300, value: odometer, direction: -1 },
    ],
    [
      'an odometer that reads 0 once',
      { cars: 6, rows: 300, value: (car, row) => (row === 150 && car === 1 ? 0 : odometer(car, row)) },
    ],
    ['what the catalogue calls a counter', { cars: 1, rows: 50, value: () => random(), counter: true }],
  ])('%s counts', (_, fleet) => {
    expect(told(fleet)).toBe('counting');
  });

  it.each<[what: string, fleet: Fleet]>([
    [
      'coolant that warms up and then sways',
      { cars: 6, rows: 1200, value: (car, row) => coolant(car, row, 2) },
    ],
    ['speed from 0', { cars: 6, rows: 300, value: (_, row) => Math.max(0, 60 * Math.sin(row / 40)) }],
    ['a constant', { cars: 6, rows: 300, value: () => 1000 }],
    ['a switch that stays as it is in each car', { cars: 6, rows: 300, value: (car) => car % 2 }],
    ['a setting of few values', { cars: 12, rows: 300, value: (car) => 20 + (car % 4) }],
    ['noise', { cars: 2, rows: 300, value: () => random() }],
    ['an odometer that is to be watched', { cars: 6, rows: 300, value: odometer, counter: false }],
    ['a name that counts, of what falls', { name: 'total', cars: 2, rows: 300, value: () => random() }],
  ])('%s is a level', (_, fleet) => {
    expect(told(fleet)).toBe('level');
  });

  it.each<[what: string, fleet: Fleet]>([
    ['coolant of one short drive', { cars: 1, rows: 200, value: (car, row) => coolant(car, row, 0) }],
    [
      'a battery that is charged evenly',
      { cars: 6, rows: 300, value: (car, row) => 20 + 9 * car + 0.25 * row },
    ],
    ['coolant of six short drives', { cars: 6, rows: 200, value: (car, row) => coolant(car, row, 0) }],
    ['a trip of one drive, from 5', { cars: 1, rows: 300, value: (_, row) => 5 + Math.floor(row / 5) * 0.1 }],
  ])('%s is watched, and it is said', (_, fleet) => {
    expect(told(fleet)).toBe('doubtful');
  });

  it.each<[what: string, fleet: Fleet]>([
    [
      'a battery that is drained',
      { cars: 6, rows: 600, value: (car, row) => 90 - 5 * car - Math.round(row / 9) / 7 },
    ],
    ['a range', { cars: 6, rows: 600, value: (car, row) => 400 - 50 * car - Math.floor(row / 20) }],
  ])('%s only falls, is watched, and it is said', (_, fleet) => {
    expect(told(fleet)).toBe('falling');
  });

  it.each<[what: string, fleet: Fleet]>([
    ['a device number', { cars: 6, rows: 300, value: (car) => 1000 + car }],
    ['the weight of each car', { cars: 4, rows: 60, value: (car) => [1200, 1550, 2100, 1550][car]! }],
  ])('%s names cars', (_, fleet) => {
    expect(told(fleet)).toBe('naming');
  });

  it('are silenced in what is trained on, and named with the way to keep them', () => {
    const catalogue = checkCatalogue(
      { name: 't', version: 1, signals: ['odo', 'x'].map((name) => ({ name, unit: '', min: 0, max: 1 })) },
      't',
    );
    const series = [{ id: 'a', tsMs: Float64Array.of(0, 1), values: Float32Array.of(5, 1, 6, 2) }];
    const counters = { counting: [0], naming: [], doubtful: [1], falling: [] };
    silence(series, 2, counters);
    expect([...series[0]!.values]).toEqual([Number.NaN, 1, Number.NaN, 2]);
    const [counter, doubt] = counterRemarks(counters, catalogue);
    expect(counter).toMatch(/^counters by how they rise, not watched: odo; .*"counter": false/);
    expect(doubt).toMatch(/so watched: x; .*"counter": true/);
  });
});
