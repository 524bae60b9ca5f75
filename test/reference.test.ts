import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SETTINGS } from '../core/settings.ts';
import { COMMANDS } from '../main.ts';
import { REFERENCE_FILE, renderReference } from '../scripts/reference.ts';

it('docs/reference.md says what the code says (node scripts/reference.ts writes it)', () => {
  expect(readFileSync(REFERENCE_FILE, 'utf8')).toBe(renderReference());
});

it('every setting is taken by some command', () => {
  const taken = new Set(Object.values(COMMANDS).flatMap((command) => command.settings));
  expect(Object.keys(SETTINGS).filter((key) => !taken.has(key as keyof typeof SETTINGS))).toEqual([]);
});
