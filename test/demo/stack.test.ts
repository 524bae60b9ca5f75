// The cars and the services they drive on: what becomes of the ones when the others fail.
import { expect, it } from 'vitest';
import { Metrics } from '../../core/metrics.ts';
import { aborted, type Context } from '../../core/service.ts';
import { driveOn } from '../../demo/stack.ts';

const contextOf = (signal: AbortSignal): Context => ({
  signal,
  clock: Date.now,
  metrics: new Metrics(),
  say: () => undefined,
  warn: () => undefined,
});

it('stops the cars before it tells of the service that failed', async () => {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const told: string[] = [];
  const driving = driveOn({ failed }, contextOf(new AbortController().signal), async ({ signal }) => {
    reject(new Error('ingest failed'));
    await aborted(signal);
    told.push('cars stopped');
  });
  await driving.catch((error: Error) => told.push(error.message));
  expect(told).toEqual(['cars stopped', 'ingest failed']);
});

it('ends as the cars end: by themselves, when asked to, or with their failure', async () => {
  const failed = new Promise<never>(() => undefined);
  const stop = new AbortController();
  await driveOn({ failed }, contextOf(stop.signal), async () => undefined);
  const asked = driveOn({ failed }, contextOf(stop.signal), ({ signal }) => aborted(signal));
  stop.abort();
  await asked;
  const crash = driveOn({ failed }, contextOf(stop.signal), () => Promise.reject(new Error('no road')));
  await expect(crash).rejects.toThrow('no road');
});
