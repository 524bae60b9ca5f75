// Which column tells the cars apart, which gives the time, and which are left out: by what a person said, by their names, and by
// what stands in them. A file without a column of ids is the log of one car.
import { basename } from 'node:path';
import { didYouMean } from './did-you-mean.ts';
import { fault, listed, shown } from './recording-fault.ts';

/** Names of columns of ids and times, without case, blanks and signs, and without a unit in brackets. */
const ID_NAMES = new Set([
  ...[
    'id',
    'vin',
    'car',
    'vehicle',
    'device',
    'run',
    'carid',
    'vehicleid',
    'deviceid',
    'runid',
    'truck',
    'truckid',
  ],
  ...['asset', 'assetid', 'imei', 'plate', 'licenseplate', 'fahrzeug', 'fahrzeugid', 'fahrgestellnummer'],
  ...['kennzeichen', 'vehicule', 'vehiculo', 'veicolo'],
]);
const TIME_NAMES = new Set(['timestamp', 'time', 'ts', 'datetime', 'date', 'devicetime', 'gpstime']);

/** How `--id` says that the file is one car. */
export const ONE_CAR = 'none';

const plainName = (name: string): string =>
  name
    .toLowerCase()
    .normalize('NFD')
    .replaceAll(/\(.*\)|\[.*\]|[^a-z0-9]/g, '');

const isIdName = (name: string) => ID_NAMES.has(plainName(name));
/** Whether a column's name says that it holds times. */
export const isTimeName = (name: string) => TIME_NAMES.has(plainName(name));

/** Whether a column's name says that it holds ids or times. */
export const isUsualName = (name: string): boolean => isIdName(name) || isTimeName(name);

/** Position of the column that somebody named: by its name, or by its number, #3. −1: there is none. */
export function columnAt(header: readonly string[], name: string): number {
  const at = header.indexOf(name);
  if (at >= 0) return at;
  const trimmed = header.indexOf(name.trim());
  if (trimmed >= 0) return trimmed;
  const number = /^#(\d+)$/.exec(name.trim());
  const index = number ? Number(number[1]) - 1 : -1;
  return index < header.length ? index : -1;
}

function asked(file: string, header: readonly string[], role: string, name: string): number {
  const at = columnAt(header, name);
  if (at >= 0) return at;
  throw fault(
    file,
    `no column "${shown(name)}" for the ${role}${didYouMean(name, header)} (the header has ${listed(header)})`,
  );
}

export interface IdChoice {
  /** −1: the file is one car. */
  readonly index: number;
  /** Columns by the name of ids that are empty, and so were not taken. */
  readonly empty: readonly string[];
  /** Such columns in which each row has an id of its own. */
  readonly rowNumbers: readonly string[];
}

/** The column of ids: of those named so the first that is filled and is not another in each row. */
export function findId(
  file: string,
  header: readonly string[],
  name: string | undefined,
  sample: readonly (readonly string[])[],
): IdChoice {
  if (name !== undefined && name !== '') {
    const one = name === ONE_CAR && !header.includes(ONE_CAR);
    return { index: one ? -1 : asked(file, header, 'id', name), empty: [], rowNumbers: [] };
  }
  const candidates = header.flatMap((column, index) => (isIdName(column) ? [index] : []));
  const empty: string[] = [];
  const rowNumbers: number[] = [];
  for (const index of candidates) {
    const cells = sample.map((row) => (row[index] ?? '').trim()).filter((cell) => cell !== '');
    if (sample.length > 0 && cells.length < sample.length / 2) empty.push(header[index]!);
    else if (cells.length >= MANY_ROWS && new Set(cells).size > cells.length / MANY_PER_ID)
      rowNumbers.push(index);
    else return { index, empty, rowNumbers: rowNumbers.map((i) => header[i]!) };
  }
  // A column of row numbers is refused with the others' names; one that is empty tells nothing apart.
  const [first = -1] = rowNumbers;
  return { index: first, empty, rowNumbers: [] };
}

/** Rows from which on ids can be judged, and how many an id must have on average. */
export const MANY_ROWS = 30;
export const MANY_PER_ID = 1.5;

/** The id of a car whose file is its log: the file's name, fit for a topic. */
export function carOfFile(file: string): string {
  const name = basename(file)
    .replace(/\.(gz|zst)$/i, '')
    .replace(/(?:\.(?:csv|tsv|txt|log|dat|vbo))+$/i, '')
    .replaceAll(/[/+#\p{Cc}]+/gu, '-')
    .slice(0, 64);
  return name === '' ? 'car' : name;
}
