import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catalogueHash, checkCatalogue, resolveCatalogue } from '../../core/catalogue.ts';

const signal = { name: 'speedKmh', unit: 'km/h', min: 0, max: 300 };
const own = { name: 'own', version: 1, signals: [signal] };

describe('the catalogue of a deployment', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'telltale-catalogue-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  it('is the car catalogue, unless the data folder has its own, unless a file is named', async () => {
    expect((await resolveCatalogue({ catalogue: '', dataDir })).name).toBe('car');
    writeFileSync(join(dataDir, 'catalogue.json'), JSON.stringify(own));
    expect((await resolveCatalogue({ catalogue: '', dataDir })).name).toBe('own');
    const file = join(dataDir, 'other.json');
    writeFileSync(file, JSON.stringify({ ...own, name: 'other' }));
    expect((await resolveCatalogue({ catalogue: file, dataDir })).name).toBe('other');
  });

  it('that cannot be read is an error that names the file', async () => {
    const file = join(dataDir, 'none.json');
    const attempt = resolveCatalogue({ catalogue: file, dataDir });
    await expect(attempt).rejects.toMatchObject({
      code: 'CATALOGUE_INVALID',
      message: expect.stringContaining(file),
    });
  });
});

describe('a catalogue', () => {
  it.each([
    [{ ...own, signals: [signal, signal] }, /speedKmh stands twice/],
    [{ ...own, signals: [{ ...signal, min: 300 }] }, /min 300 is not below max 300/],
    [{ ...own, signals: [] }, /signals/],
    [{ ...own, version: '1' }, /\/version must be integer/],
    [null, /must be object/],
  ])('with a fault is refused, case %#', (value, message) => {
    expect(() => checkCatalogue(value, 'c.json')).toThrow(message);
  });

  it('is told from another by the names of its signals in their order', () => {
    const [a, b] = [signal, { ...signal, name: 'oilC' }];
    const hash = catalogueHash({ ...own, signals: [a, b] });
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(catalogueHash({ ...own, name: 'x', signals: [{ ...a, max: 1 }, b] })).toBe(hash);
    expect(catalogueHash({ ...own, signals: [b, a] })).not.toBe(hash);
  });
});
