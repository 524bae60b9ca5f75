import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../core/error-text.ts';
import { messageOf } from '../../core/errors.ts';

const MAIN = new URL('../../main.ts', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'telltale-missing-'));
const missing = join(folder, 'missing');
const recording = join(folder, 'r.csv');
writeFileSync(recording, 'id,timestamp,x\na,0,1\na,1,2\n');

describe('a file that is not there', () => {
  it.each([
    ['RECORDING_INVALID', ['train', '--csv', missing, '--out', join(folder, 'out')]],
    ['RECORDING_INVALID', ['simulate', '--csv', missing]],
    ['MODEL_NOT_FOUND', ['score', '--csv', recording, '--model', missing, '--out', join(folder, 's.csv')]],
    ['CATALOGUE_INVALID', ['train', '--csv', recording, '--catalogue', missing, '--out', join(folder, 'o')]],
    ['SCENARIO_INVALID', ['simulate', '--scenario', missing]],
    ['CONFIG_INVALID', ['train', '--card', missing, '--data-dir', join(folder, 'data')]],
    ['CONFIG_INVALID', ['token', 'list', '--tokens-file', join(missing, 'tokens')]],
    ['FILE_UNUSABLE', ['token', 'add', 'ada', '--cars', 'A*', '--tokens-file', join(missing, 'tokens')]],
    [
      'RECORDING_INVALID',
      ['record', '--fleet-size', '1', '--duration', '2s', '--out', join(missing, 'r.csv')],
    ],
  ])('is told in one line, in words: %s', (code, argv) => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...argv], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^telltale: ${code}: [^\\n]*missing[^\\n]*: there is no such file or folder[^\\n]*\\n$`),
    );
    expect(stderr).not.toMatch(/ENOENT|node:fs/);
  });
});

describe('an error', () => {
  const system = (code: string, path?: string) =>
    Object.assign(new Error(`${code}: as the system says`), { code, syscall: 'open', ...(path && { path }) });

  it('of a file is worded, of anything else it is what it says', () => {
    expect(messageOf(system('EACCES', '/x'))).toBe('may not be opened by this user');
    expect(messageOf(system('ENOSPC', '/x'))).toBe('the disk is full');
    expect(messageOf(system('EACCES'))).toBe('EACCES: as the system says');
    expect(messageOf(system('ECONNREFUSED', '/x'))).toBe('ECONNREFUSED: as the system says');
    expect(messageOf('words')).toBe('words');
  });

  it('of a file that nobody foresaw names it; one of the program itself is printed whole', () => {
    expect(errorText(system('EISDIR', '/a\nb'))).toBe(
      'telltale: FILE_UNUSABLE: /a\\nb: is a folder, a file is needed',
    );
    expect(errorText(new Error('invariant broken'))).toBeNull();
  });
});
