// The signal catalogue: which numeric signals a fleet has, as data. Another catalogue, another fleet: nothing in the
// rooms knows a signal's name except the simulator's own physics.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { type Static, Type } from 'typebox';
import { messageOf, TelltaleError } from './errors.ts';
import { MAX_SIGNAL_NAME } from './events.ts';

export const SignalSpec = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: MAX_SIGNAL_NAME,
      description: 'Short field name, unit last: coolantC',
    }),
    unit: Type.String({ description: 'Unit of the readings; empty when unknown or none' }),
    min: Type.Number({ description: 'Below it a reading is impossible' }),
    max: Type.Number({ description: 'Above it a reading is impossible' }),
    missing: Type.Optional(
      Type.Array(Type.Number(), {
        maxItems: 32,
        description: 'Readings that are codes for "not available": 65535',
      }),
    ),
    vss: Type.Optional(Type.String({ description: 'COVESA VSS path' })),
    counter: Type.Optional(
      Type.Boolean({
        description:
          'Whether it counts (odometer, running time) and is not watched; absent: training tells by what it read',
      }),
    ),
    label: Type.Optional(Type.String({ description: 'In words, for alert reasons: coolant temperature' })),
  },
  { additionalProperties: false },
);
export type SignalSpec = Static<typeof SignalSpec>;

export const Catalogue = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    version: Type.Integer({ minimum: 1 }),
    signals: Type.Array(SignalSpec, { minItems: 1, maxItems: 512 }),
  },
  { additionalProperties: false, $id: 'Catalogue' },
);
export type Catalogue = Static<typeof Catalogue>;

const validate = new Ajv({ strict: false }).compile<Catalogue>(Catalogue);

/** The fleet simulator's own catalogue. */
export const CAR_CATALOGUE_FILE = new URL('./catalogues/car.json', import.meta.url).pathname;

/**
 * Checks a parsed catalogue.
 * @throws TelltaleError CATALOGUE_INVALID naming `source` and the fault
 */
export function checkCatalogue(value: unknown, source: string): Catalogue {
  if (!validate(value)) {
    const first = validate.errors?.[0];
    throw new TelltaleError(
      'CATALOGUE_INVALID',
      `${source}: ${first?.instancePath ?? ''} ${first?.message ?? 'invalid'}`,
    );
  }
  const seen = new Set<string>();
  for (const signal of value.signals) {
    if (seen.has(signal.name))
      throw new TelltaleError('CATALOGUE_INVALID', `${source}: signal ${signal.name} stands twice`);
    if (!(signal.min < signal.max)) {
      throw new TelltaleError(
        'CATALOGUE_INVALID',
        `${source}: signal ${signal.name}: min ${signal.min} is not below max ${signal.max}`,
      );
    }
    seen.add(signal.name);
  }
  return value;
}

/** Reads a catalogue file. @throws TelltaleError CATALOGUE_INVALID */
export async function loadCatalogue(file: string): Promise<Catalogue> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new TelltaleError('CATALOGUE_INVALID', `${file}: ${messageOf(cause)}`, { cause });
  }
  return checkCatalogue(value, file);
}

/**
 * The catalogue of a deployment: the file that the setting names, else `catalogue.json` in the data folder (a recording's
 * own, drawn up by the simulator), else the car catalogue.
 * @throws TelltaleError CATALOGUE_INVALID
 */
export function resolveCatalogue(settings: {
  readonly catalogue: string;
  readonly dataDir: string;
}): Promise<Catalogue> {
  if (settings.catalogue !== '') return loadCatalogue(settings.catalogue);
  const own = join(settings.dataDir, 'catalogue.json');
  return loadCatalogue(existsSync(own) ? own : CAR_CATALOGUE_FILE);
}

/** Hash of what matters to a model: the signals' names in order. Hex, 16 characters. */
export function catalogueHash(catalogue: Catalogue): string {
  return createHash('sha256')
    .update(JSON.stringify(catalogue.signals.map((s) => s.name)))
    .digest('hex')
    .slice(0, 16);
}
