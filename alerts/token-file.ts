// Changing the tokens file by command: read, changed and put back as one, so that a server that follows the file never reads half of
// it and two commands at once lose nothing.
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { messageOf, TelltaleError } from '../core/errors.ts';
import { pause } from '../core/service.ts';
import { readTokens, type TokensFile } from './tokens.ts';

type Entry = TokensFile['tokens'][number];

const LOCK_TRIES = 40;
const LOCK_WAIT_MS = 50;

const invalid = (message: string, cause?: unknown) => new TelltaleError('CONFIG_INVALID', message, { cause });

/** Only one at a time; a lock that nobody gives back is told with its path. */
async function locked<T>(path: string, work: () => T): Promise<T> {
  const lock = `${path}.lock`;
  for (let tries = 1; ; tries += 1) {
    try {
      closeSync(openSync(lock, 'wx', 0o600));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw invalid(`${lock}: ${messageOf(error)}`, error);
      if (tries >= LOCK_TRIES)
        throw invalid(`${lock} is there: another command changes the tokens; delete it if none does`);
      await pause(LOCK_WAIT_MS);
    }
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function write(path: string, file: TokensFile): void {
  const beside = `${path}.${process.pid}.new`;
  try {
    writeFileSync(beside, `${JSON.stringify(file, null, 2)}\n`, { mode: statSync(path).mode & 0o777 });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw invalid(`tokens file ${path}: ${messageOf(error)}`, error);
  }
}

/** A new token for these cars. @throws TelltaleError CONFIG_INVALID: the name is taken, or is no name */
export function addToken(file: string, entry: Omit<Entry, 'token'>): Promise<string> {
  const path = realpathSync(file);
  return locked(path, () => {
    const tokens = readTokens(path);
    if (tokens.tokens.some(({ name }) => name === entry.name))
      throw invalid(`there is a token of ${entry.name} already; revoke it first, or choose another name`);
    const token = randomBytes(24).toString('base64url');
    const next = { ...tokens, tokens: [...tokens.tokens, { token, ...entry }] };
    write(path, next);
    return token;
  });
}

/** Takes a token away. @throws TelltaleError CONFIG_INVALID: there is none of that name */
export function revokeToken(file: string, name: string): Promise<number> {
  const path = realpathSync(file);
  return locked(path, () => {
    const tokens = readTokens(path);
    const left = tokens.tokens.filter((entry) => entry.name !== name);
    const names = tokens.tokens.map((entry) => entry.name).join(', ');
    if (left.length === tokens.tokens.length)
      throw invalid(`there is no token of ${name}; there are: ${names || 'none'}`);
    write(path, { ...tokens, tokens: left });
    return tokens.tokens.length - left.length;
  });
}
