import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readText } from '../../core/time-text.ts';

const HOUR = 3_600_000;
/** 2023-11-15 22:13:20 UTC, by `date -u -d '2023-11-15 22:13:20' +%s`. */
const T = 1_700_086_400_000;
/** Its midnight. */
const D = 1_700_006_400_000;

describe('written times', () => {
  it.each([
    ['2023-11-15T22:13:20Z', T],
    ['2023-11-15T22:13:20.250Z', T + 250],
    ['2023-11-15 22:13:20,250', T + 250],
    ['2023-11-15 22:13:20:250', T + 250],
    ['2023-11-15T22:13:20.123456789Z', T + 123],
    ['2023-11-15T22:13:20+01:00', T - HOUR],
    ['2023-11-15T22:13:20-0330', T + 3.5 * HOUR],
    ['2023-11-15 22:13:20.5+00', T + 500],
    ['2023-11-15 22:13:20 +0000 UTC', T],
    ['2023-11-15T22:13:20+01:00[Europe/Berlin]', T - HOUR],
    ['2023-11-15T22:13', T - 20_000],
    ['2023-11-15T24:00:00', D + 24 * HOUR],
    ['2023-11-15', D],
    ['2023/11/15 22:13:20', T],
    ['2023:11:15 22:13:20', T],
    ['2023.11.15 22:13:20', T],
    ['2023-11-15_22-13-20', T],
    ['2023-11-15 10:13:20 PM', T],
    ['2023-Nov-15 22:13:20', T],
    ['20231115-221320', T],
    ['20231115_221320.250', T + 250],
    ['20231115T221320Z', T],
    ['20231115221320Z', T],
    ['20231115 22:13:20', T],
    ['231115-221320', T],
    ['Wed Nov 15 22:13:20 GMT+01:00 2023', T - HOUR],
    ['Wed Nov 15 22:13:20 CET 2023', T - HOUR],
    ['Wed Nov 15 22:13:20 2023', T],
    ['Wed Nov 15 2023 22:13:20 GMT+0100 (Central European Standard Time)', T - HOUR],
    ['15-Nov-2023 22:13:20.250', T + 250],
    ['15NOV2023:22:13:20', T],
    ['15/Nov/2023:22:13:20 +0100', T - HOUR],
    ['Wed, 15 Nov 2023 22:13:20 +0100', T - HOUR],
    ['15 Nov 2023 22:13:20 EST', T + 5 * HOUR],
    ['Nov 15, 2023 10:13:20 PM', T],
    ['Nov 15, 2023, 10:13:20\u202fPM', T],
    ['November 15th, 2023 at 10:13:20 p.m.', T],
    ['15. November 2023 22:13:20', T],
    ['Mittwoch, 15. Nov. 2023 um 22:13:20 Uhr', T],
    ['1. März 2024 00:00', 1_709_251_200_000],
    ['1. Mär. 2024', 1_709_251_200_000],
    ['15 novembre 2023 22:13:20', T],
    ['mer. 15 nov. 2023 22:13:20', T],
    ['15 août 2023', 1_692_057_600_000],
    ['15 de noviembre de 2023 22:13:20', T],
    ['15 ene 2024', 1_705_276_800_000],
    ['15 dic 2023', 1_702_598_400_000],
    ["'2023-11-15 22:13:20'", T],
    ['2023年11月15日 22:13:20', T],
  ])('reads the date %s', (cell, ms) => {
    expect(readText(cell)).toMatchObject({ ms: [ms] });
  });

  it.each([
    ['15.11.2023 22:13:20', [T, Number.NaN, Number.NaN]],
    ['15/11/23 22:13:20', [T, Number.NaN, 1_448_316_800_000]],
    ['11/15/2023 10:13:20 PM', [Number.NaN, T, Number.NaN]],
    ['15-11-2023 22-13-20', [T, Number.NaN, Number.NaN]],
    ['23/11/15', [1_448_236_800_000, Number.NaN, D]],
    ['3/4/2023', [1_680_480_000_000, 1_677_888_000_000, Number.NaN]],
  ])('reads the date %s in each order that the calendar has', (cell, expected) => {
    expect(readText(cell)?.ms).toEqual(expected);
  });

  it.each([
    ['22:13:20', 'ofDay', 80_000_000],
    ['10:13:20 pm', 'ofDay', 80_000_000],
    ['12:00:05 AM', 'ofDay', 5000],
    ['00:01:23.5', 'ofDay', 83_500],
    ['01:23.5', 'elapsed', 83_500],
    ['26:10:00', 'elapsed', 94_200_000],
    ['0 days 00:01:23.500000', 'elapsed', 83_500],
    ['1 day, 2:03:04', 'elapsed', 93_784_000],
    ['1.02:03:04.5', 'elapsed', 93_784_500],
    ['PT1M23.5S', 'elapsed', 83_500],
    ['P1DT2H', 'elapsed', 93_600_000],
    ['83.5 s', 'elapsed', 83_500],
    ['250ms', 'elapsed', 250],
  ])('reads %s as %s', (cell, kind, ms) => {
    expect(readText(cell)).toMatchObject({ kind, ms: [ms] });
  });

  it.each([
    ...[
      '',
      'noon',
      'n/a',
      'soon 5',
      '15',
      '1.5',
      '2023',
      'Foo 15 Nov 2023',
      '15 Foo 2023',
      '2023-11-15 noon',
    ],
    ...['2023-02-30', '31/2/2024', '13/13/2024', '2023-11-15 25:00', '2023-11-15 22:61', '13:00 PM', '12:60'],
    ...[
      '2023-11-15 22:13:20 XYZ',
      '2023-11-15 22:13:20 +99:00',
      '10.11.12.13',
      '1-2',
      'Mon',
      '20231315-221320',
    ],
  ])('takes %j for no time', (cell) => {
    const found = readText(cell);
    expect(found === undefined || found.ms.every(Number.isNaN)).toBe(true);
  });

  it('reads back what is written from a known time, in every form', () => {
    const two = (n: number) => String(n).padStart(2, '0');
    const names = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
    const days = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ');
    const forms: readonly ((at: Date) => string)[] = [
      (at) => at.toISOString(),
      (at) => at.toISOString().replace('T', ' ').replace('Z', '').replace('.', ','),
      (at) => at.toISOString().replaceAll(/[-:]/g, ''),
      (at) =>
        `${at.getUTCDate()}-${names[at.getUTCMonth()]}-${at.getUTCFullYear()} ${at.toISOString().slice(11, 23)}`,
      (at) =>
        `${names[at.getUTCMonth()]} ${at.getUTCDate()}, ${at.getUTCFullYear()} ${at.getUTCHours() % 12 || 12}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}.${String(at.getUTCMilliseconds()).padStart(3, '0')} ${at.getUTCHours() < 12 ? 'AM' : 'PM'}`,
      (at) =>
        `${days[at.getUTCDay()]} ${names[at.getUTCMonth()]} ${two(at.getUTCDate())} ${at.toISOString().slice(11, 23)} GMT+00:00 ${at.getUTCFullYear()}`,
      (at) => {
        const later = new Date(at.getTime() + 5.5 * HOUR);
        return `${later.toISOString().slice(0, 23)}+05:30`;
      },
    ];
    const moment = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2099, 11, 31) });
    fc.assert(
      fc.property(moment, fc.constantFrom(...forms), (ms, form) => {
        expect(readText(form(new Date(ms)))?.ms, form(new Date(ms))).toEqual([ms]);
      }),
      { numRuns: 500 },
    );
  });
});
