import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../core/config.ts';
import type { Settings } from '../../core/settings.ts';
import { checkOut, checkTrainFlags } from '../../training/check-flags.ts';
import { MODEL_FILES } from '../../training/release/save.ts';

const NOTHING = readConfig([], [], {}).settings;

function faults(over: Partial<Settings>, card: 'log' | 'csv' | null = null): string[] {
  try {
    checkTrainFlags({ ...NOTHING, ...over }, card);
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    return (error as Error).message.split('\n').map((line) => line.split(':')[0]!);
  }
}

describe('flags of train', () => {
  it('that go together pass', () => {
    expect(faults({})).toEqual([]);
    expect(faults({ cars: ['A*'], offsets: '0:1-2', promote: true, note: 'n', out: 'm', seed: 3 })).toEqual(
      [],
    );
    expect(faults({ csv: 'f.csv', out: 'm', id: 'run', time: 't', ignore: ['x'], seed: 3 })).toEqual([]);
    expect(faults({ promote: true, note: 'n' }, 'log')).toEqual([]);
    expect(faults({ out: 'm', csv: 'moved.csv' }, 'csv')).toEqual([]);
  });

  it('that do not are all named at once', () => {
    expect(faults({ csv: 'f.csv' })).toEqual(['--out']);
    expect(faults({ csv: 'f.csv', cars: ['A'], to: { agoMs: 1 } })).toEqual(['--out', '--to', '--cars']);
    expect(faults({ id: 'run', ignore: ['x'] })).toEqual(['--id', '--ignore']);
    expect(faults({ seed: 2, cars: ['A'], csv: 'f' }, 'log')).toEqual(['--cars', '--seed', '--csv']);
    expect(faults({ alertBudget: 1, promote: true }, 'csv')).toEqual([
      '--alert-budget',
      '--out',
      '--promote',
    ]);
  });
});

describe('the place of a model', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'telltale-out-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const at = (name: string) => join(dir, name);

  it('may be new, several folders deep, empty, or a model that is replaced', async () => {
    await checkOut(at('new'));
    await checkOut(at('a/b/c'));
    await mkdir(at('model'));
    await checkOut(at('model'));
    for (const file of MODEL_FILES) writeFileSync(join(at('model'), file), '');
    await checkOut(at('model'));
    expect(readdirSync(at('model'))).toEqual([...MODEL_FILES].sort());
    expect(readdirSync(at('a/b'))).toEqual([]);
  });

  it("may not be a file, in a file, or a folder that holds somebody's own", async () => {
    writeFileSync(at('file'), '');
    await expect(checkOut(at('file'))).rejects.toThrow(/^--out .*file: is a file; name a folder/);
    await expect(checkOut(at('file/m'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(checkOut(dir)).rejects.toThrow(/holds what is no model \(file\)/);
    expect(readdirSync(dir)).toEqual(['file']);
  });
});
