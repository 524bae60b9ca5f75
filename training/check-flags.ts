// What `train` was asked for, looked at before anything is loaded: flags that do not go together would otherwise be
// passed over in silence, and a place that cannot be written would be found out at the end.
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { messageOf, TelltaleError } from '../core/errors.ts';
import { givenFlags } from '../core/given-flags.ts';
import type { SettingKey, Settings } from '../core/settings.ts';
import { MODEL_FILES } from './release/save.ts';

/** Which records of the log, and what becomes of the release. */
const LOG_ONLY = ['from', 'to', 'offsets', 'cars', 'promote', 'note'] as const;
const CSV_ONLY = ['id', 'time', 'ignore', 'skipLines', 'delimiter', 'decimal'] as const;
/** What a card says itself. */
const RECORDS = ['from', 'to', 'offsets', 'cars', ...CSV_ONLY] as const;
const RECIPE = ['seed', 'effort', 'maxRows', 'alertBudget'] as const;

/**
 * Checks flags against each other.
 * @param card where a card's records came from; null: no card is run again
 * @throws TelltaleError CONFIG_INVALID with every fault, one a line
 */
export function checkTrainFlags(settings: Settings, card: 'log' | 'csv' | null): void {
  const fromCsv = card === 'csv' || (card === null && settings.csv !== '');
  const faults: string[] = [];
  const refuse = (keys: readonly SettingKey[], why: string) => {
    for (const flag of givenFlags(settings, keys)) faults.push(`${flag}: ${why}`);
  };
  if (card !== null) refuse([...RECORDS, ...RECIPE], 'the card says it; leave it out');
  if (card === 'log') refuse(['csv'], "the card's records are in the log");
  if (fromCsv && settings.out === '') faults.push('--out: the folder of the model must be named');
  if (fromCsv && card === null) refuse(LOG_ONLY, 'goes with training from the log, not with --csv');
  if (card === 'csv') refuse(['promote', 'note'], 'goes with training from the log, not with --csv');
  if (!fromCsv && card === null) refuse(CSV_ONLY, 'goes with --csv');
  if (faults.length > 0) throw new TelltaleError('CONFIG_INVALID', faults.join('\n'));
}

/**
 * Makes sure that a model can be written to `out`: not there yet, empty, or a model that is replaced; in a folder that
 * can be made and written.
 * @throws TelltaleError CONFIG_INVALID
 */
export async function checkOut(out: string): Promise<void> {
  const refuse = (why: string, cause?: unknown) =>
    new TelltaleError('CONFIG_INVALID', `--out ${out}: ${why}`, { cause });
  const dir = resolve(out);
  const there = await stat(dir).catch(() => null);
  if (there && !there.isDirectory()) throw refuse('is a file; name a folder');
  const foreign = there ? (await readdir(dir)).filter((name) => !MODEL_FILES.includes(name)) : [];
  if (foreign.length > 0)
    throw refuse(`holds what is no model (${foreign.slice(0, 3).join(', ')}); name a folder of its own`);
  const probe = join(dirname(dir), `.${process.pid}.probe`);
  try {
    await mkdir(dirname(dir), { recursive: true });
    await writeFile(probe, '');
    await rm(probe);
  } catch (cause) {
    throw refuse(messageOf(cause), cause);
  }
}
