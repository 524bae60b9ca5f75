// Who may see which cars. A tokens file names bearer tokens and what each grants; a car's own token is derived from a secret
// in that file, so a hundred thousand cars need no hundred thousand lines.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Ajv } from 'ajv';
import { type Static, Type } from 'typebox';
import { messageOf, TelltaleError } from '../core/errors.ts';
import { Vin } from '../core/events.ts';
import type { Clock } from '../core/service.ts';
import { type CarFilter, filterOf, seesCar } from './car-filter.ts';

export const TokensFile = Type.Object(
  {
    tokens: Type.Array(
      Type.Object(
        {
          token: Type.String({ minLength: 16, maxLength: 256 }),
          name: Type.String({
            minLength: 1,
            maxLength: 64,
            description: 'Who it is; stands in acknowledgements',
          }),
          vins: Type.Union([Type.Literal('*'), Type.Array(Vin, { maxItems: 100_000 })], {
            description: 'Its cars: "*" for all, or a list in which an entry that ends in * is a prefix',
          }),
          control: Type.Optional(Type.Boolean({ description: 'May break and repair simulated cars' })),
        },
        { additionalProperties: false },
      ),
      { maxItems: 100_000 },
    ),
    carSecret: Type.Optional(
      Type.String({ minLength: 32, description: 'Tokens of single cars are made of it: <vin>~<hmac>' }),
    ),
  },
  { additionalProperties: false, $id: 'TokensFile' },
);
export type TokensFile = Static<typeof TokensFile>;

/** What a token grants: its cars, and whether it may break them. */
export interface Grant extends CarFilter {
  readonly name: string;
  readonly control: boolean;
}

export const grants: (grant: Grant, vin: string) => boolean = seesCar;

/** Answers what a token grants; null when it grants nothing. */
export interface TokenStore {
  grantOf(token: string): Grant | null;
  /** Another number when what any token grants may have changed: whoever holds a grant then asks anew. */
  generation(): number;
}

const validate = new Ajv({ strict: false }).compile<TokensFile>(TokensFile);
const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
const carCode = (secret: string, vin: string) =>
  createHmac('sha256', secret).update(`car/${vin}`).digest('base64url').slice(0, 32);

/** The token that grants one car and nothing else. */
export const carToken = (secret: string, vin: string): string => `${vin}~${carCode(secret, vin)}`;

/** Tokens held in memory. They are looked up by their hash, so that timing tells nothing about them. */
export function tokenStore(file: TokensFile): TokenStore {
  const known = new Map<string, Grant>(
    file.tokens.map(({ token, name, vins, control }) => [
      digest(token),
      { name, ...filterOf(vins), control: control ?? false },
    ]),
  );
  const { carSecret } = file;
  return {
    generation: () => 0,
    grantOf: (token) => {
      const listed = known.get(digest(token));
      if (listed || carSecret === undefined) return listed ?? null;
      const cut = token.lastIndexOf('~');
      if (cut <= 0) return null;
      const vin = token.slice(0, cut);
      const given = Buffer.from(digest(token.slice(cut + 1)));
      const right = Buffer.from(digest(carCode(carSecret, vin)));
      return timingSafeEqual(given, right)
        ? { name: vin, vins: new Set([vin]), prefixes: [], control: false }
        : null;
    },
  };
}

/** Reads a tokens file. @throws TelltaleError CONFIG_INVALID naming the file and the fault, never a token */
export function readTokens(path: string): TokensFile {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const because = cause instanceof SyntaxError ? 'not JSON' : messageOf(cause);
    throw new TelltaleError('CONFIG_INVALID', `tokens file ${path}: ${because}`);
  }
  if (!validate(value)) {
    const first = validate.errors?.[0];
    throw new TelltaleError(
      'CONFIG_INVALID',
      `tokens file ${path}: ${first?.instancePath ?? ''} ${first?.message ?? 'invalid'}`,
    );
  }
  return value;
}

/** Reads the file, or writes one with a fresh token for everything and a secret for the cars' own tokens. Mode 0600. */
export function readOrMakeTokens(path: string): TokensFile {
  const made: TokensFile = {
    tokens: [{ token: randomBytes(24).toString('base64url'), name: 'operator', vins: '*', control: true }],
    carSecret: randomBytes(32).toString('base64url'),
  };
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(path, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readTokens(path);
    throw new TelltaleError('CONFIG_INVALID', `tokens file ${path}: ${messageOf(error)}`, { cause: error });
  }
}

const RECHECK_MS = 1000;

/** A store that follows its file: a token taken out of it is refused within a second. A file made unreadable changes nothing. */
export function followedTokenStore(path: string, clock: Clock, warn: (line: string) => void): TokenStore {
  let store = tokenStore(readTokens(path));
  let generation = 0;
  let changedMs = statSync(path).mtimeMs;
  let checkedMs = clock();
  let lastFault = '';
  const look = () => {
    const nowMs = clock();
    if (nowMs - checkedMs < RECHECK_MS) return;
    checkedMs = nowMs;
    try {
      const { mtimeMs } = statSync(path);
      if (mtimeMs !== changedMs) {
        store = tokenStore(readTokens(path));
        generation += 1;
      }
      changedMs = mtimeMs;
      lastFault = '';
    } catch (error) {
      if (messageOf(error) !== lastFault)
        warn(`alerts: the former tokens stay in force: ${messageOf(error)}`);
      lastFault = messageOf(error);
    }
  };
  return {
    grantOf: (token) => {
      look();
      return store.grantOf(token);
    },
    generation: () => {
      look();
      return generation;
    },
  };
}
