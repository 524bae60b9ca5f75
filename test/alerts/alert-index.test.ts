import { describe, expect, it } from 'vitest';
import { AlertIndex, foldAlert } from '../../alerts/alert-index.ts';
import { filterOf } from '../../alerts/car-filter.ts';
import { makeAlert } from './support.ts';

describe('an alert folded', () => {
  it('tells the last word of each phase', () => {
    const raised = makeAlert('CAR1');
    const { ts } = raised;
    const phases = [
      raised,
      { ...raised, phase: 'escalated', severity: 'critical', ts: ts + 1, reason: 'worse' },
      { ...raised, phase: 'acknowledged', severity: 'critical', ts: ts + 2, by: 'Ada' },
      { ...raised, phase: 'acknowledged', severity: 'critical', ts: ts + 3, by: 'Bob' },
      { ...raised, phase: 'cleared', ts: ts + 4, reason: 'over', score: 1 },
    ] as const;
    const view = phases.reduce<ReturnType<typeof foldAlert> | undefined>(foldAlert, undefined);
    expect(view).toEqual({
      ...{ alertId: raised.alertId, vin: 'CAR1', state: 'cleared', severity: 'critical', reason: 'worse' },
      ...{
        raisedTs: ts,
        escalatedTs: ts + 1,
        acknowledgedTs: ts + 2,
        acknowledgedBy: 'Ada',
        clearedTs: ts + 4,
      },
      ...{ updatedTs: ts + 4, model: 'm1', score: 9, threshold: 5, top: [] },
    });
  });

  it('that grew worse after somebody had seen it wants to be seen again', () => {
    const raised = makeAlert('CAR1');
    const { ts } = raised;
    const escalated = { ...raised, phase: 'escalated', severity: 'critical', ts: ts + 2 } as const;
    const seen = { ...raised, phase: 'acknowledged', ts: ts + 1, by: 'Ada' } as const;
    const fold = (...phases: Parameters<typeof foldAlert>[1][]) =>
      phases.reduce<ReturnType<typeof foldAlert> | undefined>(foldAlert, undefined);
    expect(fold(raised, seen)).toMatchObject({ acknowledgedBy: 'Ada' });
    expect(fold(raised, seen, escalated)).not.toHaveProperty('acknowledgedTs');
    // One that was on its way when it grew worse is of the warning, not of what it has become.
    expect(fold(raised, escalated, seen)).not.toHaveProperty('acknowledgedBy');
    const again = { ...escalated, phase: 'acknowledged', ts: ts + 3, by: 'Bob' } as const;
    expect(fold(raised, seen, escalated, again)).toMatchObject({
      acknowledgedTs: ts + 3,
      acknowledgedBy: 'Bob',
    });
  });

  it('whose raising is no longer kept still has its end', () => {
    const end = makeAlert('CAR1', { phase: 'cleared', ts: 9, raisedTs: 3 });
    expect(foldAlert(undefined, end)).toMatchObject({ state: 'cleared', raisedTs: 3, clearedTs: 9 });
  });
});

describe('the index', () => {
  it('counts what is open for all cars, for some, and for those whose name begins so', () => {
    const index = new AlertIndex();
    for (const vin of ['CAR1', 'CAR1', 'CAR2', 'VAN1']) index.apply(makeAlert(vin));
    const count = (...vins: string[]) => index.openCountOf(filterOf(vins));
    expect([count('*'), count('CAR1'), count('CAR*'), count('VAN1', 'CAR2'), count('BUS*')]).toEqual([
      4, 2, 3, 2, 0,
    ]);
  });

  it('knows what stands open, by car and in all', () => {
    const index = new AlertIndex();
    const [a, b] = [makeAlert('CAR1'), makeAlert('CAR2')];
    for (const alert of [a, b, { ...a, phase: 'cleared' as const }]) index.apply(alert);
    expect(index.openCount).toBe(1);
    expect(index.openOf('CAR1')).toEqual([]);
    expect(index.openOf('CAR2')).toMatchObject([{ alertId: b.alertId }]);
    expect(index.open(() => true, 10)).toMatchObject({ total: 1, alerts: [{ alertId: b.alertId }] });
    expect(index.open((vin) => vin === 'CAR1', 10)).toEqual({ total: 0, alerts: [] });
  });

  it('forgets cleared alerts beyond its bound, oldest first, and open ones never', () => {
    const index = new AlertIndex(2);
    const open = makeAlert('CAR0');
    index.apply(open);
    const cleared = [1, 2, 3].map((i) => makeAlert(`CAR${i}`));
    for (const alert of cleared) {
      index.apply(alert);
      index.apply({ ...alert, phase: 'cleared' });
    }
    expect(index.get(cleared[0]!.alertId)).toBeUndefined();
    // Acknowledged when it is over and forgotten: still nothing open.
    index.apply({ ...cleared[0]!, phase: 'acknowledged' });
    expect(index.openCount).toBe(1);
    expect(index.get(cleared[2]!.alertId)).toBeDefined();
    expect(index.get(open.alertId)?.state).toBe('open');
    expect(index.list({ limit: 2 })).toMatchObject({ total: 3, alerts: [{}, {}] });
    expect(index.list({ offset: 2, limit: 2 }).alerts).toHaveLength(1);
  });
});
