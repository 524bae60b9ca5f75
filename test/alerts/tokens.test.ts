import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  carToken,
  followedTokenStore,
  grants,
  readOrMakeTokens,
  readTokens,
  tokenStore,
} from '../../alerts/tokens.ts';
import { TelltaleError } from '../../core/errors.ts';

const SECRET = 'a secret of at least thirty-two letters';
let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-tokens-'));
  file = join(dir, 'tokens.json');
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const listed = (token: string, vins: '*' | string[]) => ({ tokens: [{ token, name: 'someone', vins }] });

describe('tokens', () => {
  it('grant the cars they are listed with', () => {
    const store = tokenStore(listed('sixteen letters.', ['CAR1']));
    const grant = store.grantOf('sixteen letters.');
    expect(grant).toMatchObject({ name: 'someone', control: false });
    expect([grants(grant!, 'CAR1'), grants(grant!, 'CAR2')]).toEqual([true, false]);
    expect(store.grantOf('sixteen letters!')).toBeNull();
    expect(store.grantOf('')).toBeNull();
  });

  it('of a car are made from the secret and grant that car alone', () => {
    const store = tokenStore({ tokens: [], carSecret: SECRET });
    const grant = store.grantOf(carToken(SECRET, 'WT~0/1 x'.replace('/', '')));
    expect(grant?.vins).toEqual(new Set(['WT~01 x']));
    expect(store.grantOf(carToken('another secret of at least 32 letters', 'CAR1'))).toBeNull();
    expect(store.grantOf('CAR1~')).toBeNull();
    expect(store.grantOf('~x')).toBeNull();
  });

  it('are made on first use, for their owner alone, and read ever after', () => {
    const made = readOrMakeTokens(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(made.tokens[0]?.token.length).toBeGreaterThanOrEqual(32);
    expect(readOrMakeTokens(file)).toEqual(made);
    expect(readTokens(file)).toEqual(made);
  });

  it.each([
    ['not JSON', '{"tokens": [', /not JSON/],
    ['a token that is too short', JSON.stringify(listed('short', '*')), /\/tokens\/0\/token/],
    ['an unknown key', '{"tokens": [], "secret": "x"}', /additional properties/],
  ])('in a file with %s are refused by naming the file and the fault', (_, text, message) => {
    writeFileSync(file, text);
    const refusal = (() => {
      try {
        return readTokens(file);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(TelltaleError);
    expect(refusal).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });
    expect((refusal as TelltaleError).message).toContain(file);
    expect((refusal as TelltaleError).message).not.toContain('short"');
  });

  it('taken out of the file are refused a second later; a file made unreadable changes nothing and is told once', () => {
    let nowMs = 0;
    const warnings: string[] = [];
    writeFileSync(file, JSON.stringify(listed('the former token', '*')));
    const store = followedTokenStore(
      file,
      () => nowMs,
      (line) => warnings.push(line),
    );
    const write = (text: string) => {
      writeFileSync(file, text);
      utimesSync(file, new Date(), new Date(Date.now() + 60_000 + nowMs));
    };
    write(JSON.stringify(listed('the latter token', '*')));
    expect(store.grantOf('the former token')).not.toBeNull();
    const before = store.generation();
    nowMs += 1000;
    expect(store.generation()).not.toBe(before);
    expect(store.grantOf('the former token')).toBeNull();
    expect(store.grantOf('the latter token')).not.toBeNull();
    write('{');
    for (let i = 0; i < 3; i += 1) {
      nowMs += 1000;
      expect(store.grantOf('the latter token')).not.toBeNull();
    }
    expect(warnings).toHaveLength(1);
    expect(readFileSync(file, 'utf8')).toBe('{');
  });
});
