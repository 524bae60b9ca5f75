// A bundle in a model's folder, for those who work without a log.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, TelltaleError } from '../errors.ts';
import { checkBundle, type ModelBundle } from './bundle.ts';

/** Reads the bundle out of a model's folder. @throws TelltaleError MODEL_NOT_FOUND, MODEL_INVALID */
export async function readBundle(dir: string): Promise<ModelBundle> {
  const file = join(dir, 'bundle.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new TelltaleError('MODEL_NOT_FOUND', `${file}: ${messageOf(cause)}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TelltaleError('MODEL_INVALID', `${file}: damaged: ${messageOf(cause)}`, { cause });
  }
  return checkBundle(value, file);
}
