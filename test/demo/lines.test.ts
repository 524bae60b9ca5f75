import { describe, expect, it } from 'vitest';
import type { Alert } from '../../core/events.ts';
import { alertLine } from '../../demo/alert-lines.ts';
import { splitDrives } from '../../demo/recording.ts';
import { stageLines } from '../../demo/stages.ts';

const alert: Alert = {
  alertId: 'a',
  vin: 'CAR1',
  phase: 'raised',
  severity: 'critical',
  ts: Date.UTC(2026, 0, 1, 10, 4, 31),
  raisedTs: Date.UTC(2026, 0, 1, 10, 4, 31),
  model: 'm1',
  score: 12,
  threshold: 10,
  top: [],
  reason: 'coolant temperature too high:\n118 °C',
};

describe('alertLine', () => {
  it('begins with alert, ends with the reason, on one line', () => {
    expect(alertLine(alert)).toBe('alert 10:04:31 CAR1 critical: coolant temperature too high: 118 °C');
  });

  it('gives other phases their own first word', () => {
    expect(alertLine({ ...alert, phase: 'cleared' })).toMatch(/^cleared 10:04:31 CAR1: /);
  });
});

describe('stageLines', () => {
  const run = {
    telemetry: 95,
    deadLetters: 5,
    scored: 95,
    late: 0,
    hours: 2,
    published: 100,
    broken: 0,
    liveDrives: 4,
    alerts: 3,
  };

  it('says that the stages agree, and alerts an hour', () => {
    expect(stageLines(run)).toEqual([
      'events: published 100 = in log 100 = scored 95 + dead letters 5',
      'alerts: 3 in 2.00 h on 4 live drives, 1.50 an hour',
    ]);
  });

  it('says where they do not', () => {
    expect(stageLines({ ...run, scored: 94 })[0]).toContain('in log 100 ≠ scored 94 + dead letters 5');
    expect(stageLines({ ...run, published: 99, broken: 2, late: 1 })).toHaveLength(4);
  });
});

describe('splitDrives', () => {
  const ids = Array.from({ length: 10 }, (_, i) => `drive${i}`);

  it('cuts the drives in two, each in one part, the same for the same seed', () => {
    const { history, live } = splitDrives(ids, 1);
    expect([history.length, live.length]).toEqual([6, 4]);
    expect([...history, ...live].sort()).toEqual(ids);
    expect(splitDrives([...ids].reverse(), 1)).toEqual({ history, live });
    expect(splitDrives(ids, 2)).not.toEqual({ history, live });
  });

  it('keeps one drive on each side at least', () => {
    expect(splitDrives(['a', 'b'], 1).live).toHaveLength(1);
  });
});
