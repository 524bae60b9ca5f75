// Whether a file has a row for each reading (id, time, name, value) where a recording has a column for each signal. Such a file is
// refused with the way to turn it: read as it stands it would be one signal that is everything in turn.

import type { ColumnFacts } from './recording-column.ts';
import { isTimeName } from './recording-columns.ts';
import { fault, shown } from './recording-fault.ts';
import type { Layout } from './recording-layout.ts';

const NAME_WORDS =
  /^(name|signal|signalname|sensor|sensorname|pid|pidname|parameter|param|diagnostic|channel|key|metric|field|tag|variable|measure|measurement|measurand|type|item|itemid|series|label|element|code|property|attribute|quantity|kanal|messgr|bezeichnung)/;
const VALUE_WORDS =
  /^(value|val|values|reading|wert|messwert|valeur|valor|data|rawvalue|numericvalue|measurementvalue|result)$/;

const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/**
 * @param columns what the first rows, or all of them, hold
 * @throws TelltaleError RECORDING_INVALID when they are of that shape
 */
export function checkLong(layout: Layout, idIndex: number, columns: readonly ColumnFacts[]): void {
  const { file, header, sample: rows } = layout;
  const timeIndex = header.findIndex(isTimeName);
  const others = columns.filter(({ name }) => name !== header[timeIndex]);
  const numeric = others.filter((column) => column.numeric);
  if (numeric.length === 0 || numeric.length > 3 || rows.length < 4) return;
  const valueNamed = numeric.find(({ name }) => VALUE_WORDS.test(plain(name)));
  const keys = others.filter(
    (column) =>
      (!column.numeric && column.texts >= 2 && column.texts <= Math.min(500, rows.length / 2)) ||
      (column.numeric && column !== valueNamed && NAME_WORDS.test(plain(column.name))),
  );
  const byInstant = keys.find(({ name }) => namesInstant(layout, idIndex, timeIndex, header.indexOf(name)));
  const byName = keys.find(({ name }) => NAME_WORDS.test(plain(name)));
  const key = byName && valueNamed ? byName : numeric.length === 1 ? byInstant : undefined;
  if (!key) return;
  const value = shown((valueNamed ?? numeric[0]!).name);
  const name = shown(key.name);
  const named = [header[idIndex], header[timeIndex]].filter((one) => one !== undefined && one !== '');
  const index = named.length > 0 ? named : [header.find((one) => one !== key.name && one !== value)];
  throw fault(
    file,
    `has a row for each signal, whose name is in column ${name}${key.example === '' ? '' : ` ("${shown(key.example)}")`} and whose value is in ${value}: ` +
      `turn it so that each signal has a column, in pandas df.pivot_table(index=[${index.map((one) => `'${shown(one!)}'`).join(', ')}], columns='${name}', values='${value}').reset_index()`,
  );
}

/** Whether rows of one id and time come one after the other and are told apart by the column. */
function namesInstant({ sample }: Layout, idIndex: number, timeIndex: number, key: number): boolean {
  if (timeIndex < 0) return false;
  let same = 0;
  let differ = 0;
  for (let i = 1; i < sample.length; i += 1) {
    const [before, row] = [sample[i - 1]!, sample[i]!];
    if (row[timeIndex] !== before[timeIndex] || (idIndex >= 0 && row[idIndex] !== before[idIndex])) continue;
    same += 1;
    if (row[key] !== before[key]) differ += 1;
  }
  return same > 0.3 * sample.length && differ > 0.8 * same;
}
