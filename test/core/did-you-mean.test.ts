import { describe, expect, it } from 'vitest';
import { didYouMean } from '../../core/did-you-mean.ts';

describe('did you mean', () => {
  it('names the nearest name, case aside', () => {
    const names = ['drive', 'timestamp', 'speed', 'Speed2'];
    expect(didYouMean('timestmap', names)).toBe('; did you mean "timestamp"?');
    expect(didYouMean('SPEED', names)).toBe('; did you mean "speed"?');
    expect(didYouMean('speeed2', names)).toBe('; did you mean "Speed2"?');
  });

  it('says nothing when no name is near', () => {
    expect(didYouMean('coolant', ['drive', 'speed'])).toBe('');
    expect(didYouMean('x', [])).toBe('');
    expect(didYouMean('id', ['ab'])).toBe('');
  });
});
