import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitsAsVin, vinsOf } from '../../core/car-ids.ts';

describe('ids of a recording as cars', () => {
  it('keep what can be a car, and mend what cannot', () => {
    const ids = ['car1', 'Truck #1', 'a/b+c', 'tab\there', 'x'.repeat(70), 'Fahrzeug Ü'];
    const vins = vinsOf(ids);
    expect(ids.map((id) => vins.get(id))).toEqual([
      'car1',
      'Truck _1',
      'a_b_c',
      'tab_here',
      'x'.repeat(64),
      'Fahrzeug Ü',
    ]);
  });

  it('never make two cars one', () => {
    expect([...vinsOf(['a#', 'a+', 'a_', 'a/', '']).entries()]).toEqual([
      ['a_', 'a_'],
      ['a#', 'a_~2'],
      ['a+', 'a_~3'],
      ['a/', 'a_~4'],
    ]);
    const letters = fc.constantFrom('a', '#', '+', '/', '_', '\u0001', 'é');
    const id = fc.string({ unit: letters, minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(fc.uniqueArray(id, { maxLength: 60 }), (ids) => {
        const vins = [...vinsOf(ids).values()];
        expect(vins).toHaveLength(ids.length);
        expect(new Set(vins).size).toBe(ids.length);
        expect(vins.every(fitsAsVin)).toBe(true);
      }),
    );
  });
});
