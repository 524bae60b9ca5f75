import { describe, expect, it } from 'vitest';
import { type Series, seededRandom } from '../../../bench/quality/data.ts';
import { FAULTS, RESOLUTION } from '../../../bench/quality/faults.ts';
import { injectFaults } from '../../../bench/quality/inject.ts';

const signals = [...Object.keys(RESOLUTION), 'CATALYST_TEMPERATURE_BANK1_SENSOR1'];
const ROWS = 20_000;
const random = seededRandom(1);

/** Readings on the grid of their sensors, moving enough for every rule. */
const drive: Series = {
  id: 'drive',
  tsMs: Float64Array.from({ length: ROWS }, (_, i) => i * 1000),
  values: Float32Array.from({ length: ROWS * signals.length }, (_, i) => {
    const signal = signals[i % signals.length]!;
    const step = RESOLUTION[signal] ?? 0.1;
    const idle = signal === 'ENGINE_RPM' ? 900 : 50;
    return Math.round((idle + 40 * Math.sin(i / 900) + 5 * random()) / step) * step;
  }),
  labels: new Uint8Array(ROWS),
};

describe('injectFaults', () => {
  const faulty = injectFaults([drive], signals, 3, 2);

  it('deals every kind and follows from the seed', () => {
    const kinds = new Set(faulty.flatMap(({ events }) => events.map(({ kind }) => kind)));
    expect(kinds).toEqual(new Set(Object.keys(FAULTS)));
    expect(Object.keys(FAULTS).length).toBeGreaterThanOrEqual(10);
    expect(injectFaults([drive], signals, 3, 2)[1]!.series.values).toEqual(faulty[1]!.series.values);
  });

  it('changes nothing outside its labels, and the original never', () => {
    const before = drive.values.slice();
    for (const { series } of faulty) {
      for (let r = 0; r < ROWS; r += 1) {
        if (series.labels[r] === 1) continue;
        for (let c = 0; c < signals.length; c += 1)
          expect(series.values[r * signals.length + c]).toBe(before[r * signals.length + c]);
      }
    }
  });

  it('keeps changed readings on the grid of their sensor', () => {
    for (const { series } of faulty) {
      series.values.forEach((value, i) => {
        const by = value - drive.values[i]!;
        if (by === 0) return;
        const step = RESOLUTION[signals[i % signals.length]!]!;
        expect(Math.abs(by / step - Math.round(by / step))).toBeLessThan(0.01);
      });
    }
  });

  it('leaves normal driving between two faults', () => {
    for (const { series, events } of faulty) {
      events.slice(1).forEach(({ from }, i) => {
        expect(series.tsMs[from]! - series.tsMs[events[i]!.to - 1]!).toBeGreaterThanOrEqual(300_000);
      });
    }
  });
});
