import { describe, expect, it } from 'vitest';
import type { FleetCommand } from '../../core/events.ts';
import { breaks, sendBreaks } from '../../demo/breaks.ts';

const combustion = Array.from({ length: 20 }, (_, i) => `C${i}`);
const electric = Array.from({ length: 20 }, (_, i) => `E${i}`);
const first = <T>(items: Iterable<T>, count: number): T[] => {
  const taken: T[] = [];
  for (const item of items) if (taken.push(item) === count) break;
  return taken;
};

describe('breaks', () => {
  it('begins at once, with faults that can be seen at once, in cars that can have them', () => {
    const plan = first(breaks({ combustion, electric, random: () => 0 }), 3);
    expect(plan[0]!.afterMs).toBe(0);
    for (const { vin, fault } of plan) if (fault === 'vacuum-leak') expect(vin).toMatch(/^C/);
  });

  it('rests a car that was broken lately', () => {
    const vins = first(breaks({ combustion, electric, random: () => 0 }), 8).map(({ vin }) => vin);
    expect(new Set(vins).size).toBe(8);
  });

  it('goes on without end, at a bearable pace', () => {
    const plan = first(breaks({ combustion, electric, random: Math.random }), 100);
    expect(plan.slice(10).every(({ afterMs }) => afterMs >= 30_000)).toBe(true);
  });

  it('breaks nothing where there is no car', () => {
    expect([...breaks({ combustion: [], electric: [], random: () => 0 })]).toEqual([]);
  });
});

describe('sendBreaks', () => {
  it('sends each break as a command and stops when it is told to', async () => {
    const sent: FleetCommand[] = [];
    const controller = new AbortController();
    const plan = [
      { afterMs: 0, vin: 'C1', fault: 'vacuum-leak', severity: 1 },
      { afterMs: 600_000, vin: 'C2', fault: 'alternator', severity: 1 },
    ];
    const told: string[] = [];
    await sendBreaks(
      plan,
      async (command) => void sent.push(command),
      controller.signal,
      ({ vin }) => {
        told.push(vin);
        controller.abort();
      },
    );
    expect(sent).toEqual([{ vins: ['C1'], action: 'break', fault: 'vacuum-leak', severity: 1 }]);
    expect(told).toEqual(['C1']);
  });
});
