// `telltale token`: made, listed, taken away; a server that follows the file obeys within a second.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runToken } from '../../alerts/token-command.ts';
import { followedTokenStore, grants, readTokens } from '../../alerts/tokens.ts';
import { readConfig } from '../../core/config.ts';
import { Metrics } from '../../core/metrics.ts';

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-token-'));
  file = join(dir, 'tokens.json');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function token(...argv: string[]): Promise<{ said: string[]; told: string[] }> {
  const { settings, positionals } = readConfig(
    ['dataDir', 'tokensFile', 'cars', 'control'],
    [...argv, '--data-dir', dir],
    {},
  );
  const [said, told]: [string[], string[]] = [[], []];
  const context = { signal: new AbortController().signal, clock: Date.now, metrics: new Metrics() };
  await runToken(
    settings,
    { ...context, say: (line) => said.push(line), warn: (line) => told.push(line) },
    positionals,
  );
  return { said, told };
}

describe('telltale token', () => {
  it('makes one that is in force within a second, and takes it away as soon', async () => {
    await token('list');
    let nowMs = 0;
    const store = followedTokenStore(
      file,
      () => nowMs,
      () => undefined,
    );
    const { said, told } = await token('add', 'ada', '--cars', 'A*,B1');
    const [made = ''] = said;
    expect(said).toHaveLength(1);
    expect(made).toMatch(/^[\w-]{32}$/);
    expect(told.join(' ')).toMatch(/token of ada: sees A\*,B1; in force within a second/);
    nowMs += 1000;
    const grant = store.grantOf(made)!;
    expect(['A', 'A7', 'B1', 'B12', 'C'].map((vin) => grants(grant, vin))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(grant).toMatchObject({ name: 'ada', control: false });
    expect((await token('list')).said).toEqual(['operator: all cars, may break them', 'ada: A*,B1']);
    expect((await token('revoke', 'ada')).said[0]).toMatch(/^revoked: the token of ada/);
    nowMs += 1000;
    expect(store.grantOf(made)).toBeNull();
  });

  it('keeps the file whole and for its owner alone, also where it is a link, and with many at once', async () => {
    await token('list');
    const link = join(dir, 'link.json');
    symlinkSync(file, link);
    await token('add', 'first', '--cars', '*', '--control', '--tokens-file', link);
    await Promise.all(Array.from({ length: 8 }, (_, i) => token('add', `n${i}`, '--cars', `CAR${i}`)));
    expect(
      readTokens(link)
        .tokens.map(({ name }) => name)
        .toSorted(),
    ).toEqual(['first', 'n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'operator']);
    expect(readTokens(file).tokens[1]).toMatchObject({ vins: '*', control: true });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir).toSorted()).toEqual(['link.json', 'tokens.json']);
  });

  it.each([
    [['add', 'ada'], /--cars: which cars/],
    [['add', '--cars', 'A'], /a name of 1 to 64 characters/],
    [['add', 'operator', '--cars', 'A'], /there is a token of operator already/],
    [['add', 'ada', '--cars', 'A/B'], /--cars: .*pattern/],
    [['revoke', 'nobody'], /no token of nobody; there are: operator/],
    [['make', 'ada'], /token add NAME, token list or token revoke NAME/],
    [['list', 'ada'], /ada: token list takes no such argument/],
  ])('refuses %j and changes nothing', async (argv, message) => {
    await token('list');
    const before = readFileSync(file, 'utf8');
    await expect(token(...argv)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('says which lock is in the way', async () => {
    await token('list');
    writeFileSync(`${file}.lock`, '');
    await expect(token('add', 'ada', '--cars', 'A')).rejects.toThrow(/tokens\.json\.lock is there/);
  });
});
