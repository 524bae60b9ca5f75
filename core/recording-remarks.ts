// What a person should know of how a recording was read: everything that was skipped, guessed or taken as missing, a line for each
// cause, with counts. Training, scoring and the demo say the same lines.
import { counted, percent } from './counted.ts';
import type { ColumnFacts } from './recording-column.ts';
import type { IdChoice } from './recording-columns.ts';
import { listed, shown } from './recording-fault.ts';
import type { Skipped } from './recording-file.ts';
import type { Layout } from './recording-layout.ts';
import type { NumberFormat } from './recording-numbers.ts';
import type { Survey } from './recording-survey.ts';

/** Columns named in a line. */
const MOST_NAMED = 8;

/** How the rows were told from what is none. */
export function rowRemarks(layout: Layout, { comments, headers }: Skipped, survey: Survey): string[] {
  const all = comments + layout.comments;
  const { misfits, firstMisfit } = survey;
  return [
    ...layout.remarks,
    ...(all > 0 ? [`${counted(all, 'comment line')} skipped`] : []),
    ...(headers > 0
      ? [`the header comes again ${headers === 1 ? 'once' : `${headers} times`}, skipped`]
      : []),
    ...(firstMisfit
      ? [
          `${counted(misfits, 'row')} with another number of cells than the header (${layout.header.length}), not read: the first is line ${firstMisfit.line} (${firstMisfit.cells})`,
        ]
      : []),
  ];
}

const number = (value: number) => String(Number(value.toPrecision(7)));

/** What each of its texts, or values, is of a column. */
function shares<T>(
  { name, count, missing, unreadable }: ColumnFacts,
  list: readonly T[],
  of: (one: T) => readonly [string, number],
): string {
  const all = count + missing + unreadable;
  const some = list.slice(0, 3).map((one) => {
    const [what, n] = of(one);
    return `${percent(n, all)} of cells are ${what}`;
  });
  return `${name}: ${some.join(', ')}${list.length > 3 ? `, ${list.length - 3} more` : ''}`;
}

/** What was taken as missing, and what was kept though it stands apart. */
export function cellRemarks(columns: readonly ColumnFacts[]): string[] {
  const used = columns.filter(({ numeric }) => numeric);
  const line = (what: string, which: readonly string[]) =>
    which.length === 0 ? [] : [`${what}: ${listedLong(which)}`];
  return [
    ...line(
      'placeholders, taken as missing',
      used
        .filter(({ placeholders }) => placeholders.length > 0)
        .map((column) =>
          shares(column, column.placeholders, ({ text, count }) => [`"${shown(text)}"`, count]),
        ),
    ),
    ...line(
      'codes for "not available", taken as missing (to keep one, docs/what-is-read.md)',
      used
        .filter(({ codes }) => codes.length > 0)
        .map((column) => shares(column, column.codes, ({ value, count }) => [number(value), count])),
    ),
    ...line(
      'nothing but a code for "not available", taken as not measured (to keep one, docs/what-is-read.md)',
      columns
        .filter(({ numeric, codes }) => !numeric && codes.length > 0)
        .map((column) => shares(column, column.codes, ({ value, count }) => [number(value), count])),
    ),
    ...line(
      'numbers too large to be readings, taken as missing',
      used
        .filter(({ tooLarge }) => tooLarge > 0)
        .map((column) => shares(column, [column.tooLarge], (n) => ['beyond 3.4e38', n])),
    ),
    ...line(
      'far outside all other readings, kept (name them under "missing" in the catalogue if they are none)',
      used
        .filter(({ rare }) => rare.length > 0)
        .map(
          ({ name, rare }) =>
            `${name}: ${rare
              .slice(0, 3)
              .map(({ value, count }) => `${number(value)} (${counted(count, 'cell')})`)
              .join(', ')}`,
        ),
    ),
  ];
}

const listedLong = (parts: readonly string[]) =>
  parts.slice(0, MOST_NAMED).join('; ') +
  (parts.length > MOST_NAMED ? ` and ${counted(parts.length - MOST_NAMED, 'more column')}` : '');

const some = (parts: readonly string[]) => parts.slice(0, MOST_NAMED).join(', ');

/**
 * How numbers were read that are not plain ones, or may not be.
 * @param pointsInDoubt whether no number of the file tells that points begin decimals
 */
export function formatRemarks(
  names: readonly (readonly [
    name: string,
    format: NumberFormat,
    doubt: string,
    unit: ReturnType<Survey['unitTold']>,
  ])[],
  pointsInDoubt: boolean,
): string[] {
  const of = (which: (format: NumberFormat, doubt: string) => boolean) =>
    names.flatMap(([name, format, doubt]) => (which(format, doubt) ? [name] : []));
  const groups = [
    [',', 'commas'],
    ['.', 'points'],
    [' ', 'blanks or apostrophes'],
  ] as const;
  const units = names.flatMap(([name, , , { unit, without, cells }]) => {
    if (unit === '') return [];
    const others =
      without > 0 ? `; ${percent(without, cells)} of cells name none and are read as ${unit}` : '';
    return [`${shown(name)} (${unit}${others})`];
  });
  const doubted = (decimal: '.' | ',') =>
    names
      .filter(
        ([, format, doubt]) => format.decimal === decimal && format.group === '' && doubt.includes(decimal),
      )
      .map(([name, , doubt]) => `${name} ("${shown(doubt)}")`);
  const [commas, points] = [doubted(','), pointsInDoubt ? doubted('.') : []];
  return [
    ...groups.flatMap(([group, what]) => {
      const parted = of((format) => format.group === group);
      return parted.length > 0 ? [`${what} part thousands: ${listed(parted, MOST_NAMED)}`] : [];
    }),
    ...(commas.length > 0
      ? [`commas read as decimal ones: ${some(commas)}; if they part thousands, say --decimal point`]
      : []),
    ...(points.length > 0
      ? [`points read as decimal ones: ${some(points)}; if they part thousands, say --decimal comma`]
      : []),
    ...(units.length > 0 ? [`numbers with their unit behind them: ${some(units)}`] : []),
  ];
}

/** Different texts of a column that may tell cars apart, at most. */
const MOST_GUESSED = 100;

/** What is known of the cars. */
interface CarsOf {
  /** Empty: the file is one car, `car`. */
  readonly idColumn: string;
  readonly car: string;
  /** Whether a person said that it is one. */
  readonly asked: boolean;
  readonly columns: readonly ColumnFacts[];
}

/** Which column tells the cars apart, where that was not plain. */
export function idRemarks(
  { empty, rowNumbers }: IdChoice,
  { idColumn, car, asked, columns }: CarsOf,
): string[] {
  const passed = [
    ...empty.map((name) => `${shown(name)} is empty`),
    ...rowNumbers.map((name) => `${shown(name)} is another in each row`),
  ].join(', ');
  if (idColumn !== '') return passed === '' ? [] : [`cars told apart by ${shown(idColumn)}: ${passed}`];
  const why = asked ? 'as asked' : passed === '' ? 'no column of ids' : passed;
  const texts = columns.filter(({ numeric, texts: n }) => !numeric && n >= 2 && n <= MOST_GUESSED);
  const names = texts.map(({ name }) => name);
  const guess = names.length > 0 && !asked ? `: ${listed(names, 3)}?` : '';
  return [
    `one car, named after the file: "${car}" (${why}; if there are several, name their column with --id${guess})`,
  ];
}

/** How an id is compared with others: people and tools write one car's in several ways. */
const bareId = (id: string): string =>
  id
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, ' ')
    .replace(/^0+(?=\d+(?:\.0+)?$)/, '')
    .replace(/^(\d+)\.0+$/, '$1');

/** What a spreadsheet leaves of a long number. */
const SHORTENED = /^\d(?:[.,]\d+)?E\+\d{2,}$/i;
/** Ids compared at most. */
const MOST_COMPARED = 100_000;

/** Ids that may be one car, and ids that may be several. */
export function idDoubts(ids: Iterable<string>): string[] {
  const first = new Map<string, string>();
  const alike: string[] = [];
  const short: string[] = [];
  for (const id of ids) {
    if (first.size >= MOST_COMPARED) break;
    const bare = bareId(id);
    const other = first.get(bare);
    if (other === undefined) first.set(bare, id);
    else alike.push(`"${shown(other)}" and "${shown(id)}"`);
    if (SHORTENED.test(id)) short.push(`"${shown(id)}"`);
  }
  const some = (list: readonly string[]) =>
    list.slice(0, 3).join(', ') + (list.length > 3 ? ` and ${list.length - 3} more` : '');
  return [
    ...(alike.length > 0
      ? [`ids that differ in how they are written only, taken as different cars: ${some(alike)}`]
      : []),
    ...(short.length > 0
      ? [`ids that a spreadsheet shortened, so that several cars may be one: ${some(short)}`]
      : []),
  ];
}
