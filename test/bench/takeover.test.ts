// Scorers that are killed at random moments, on both logs: what is left is what one scorer would have given that was never disturbed.
// bench/takeover.ts does the same with fifty kills and a fitted model.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { killAgainAndAgain, type Place, type Readings } from '../../bench/takeover-kills.ts';
import { handBundle, identityHead } from '../support/hand-bundle.ts';
import { kafkaForTests } from '../support/kafka.ts';

const dir = mkdtempSync(join(tmpdir(), 'telltale-takeover-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const kafka = await kafkaForTests();
const PARTITIONS = 2;
/** More cars in each partition than a batch has events. */
const CARS = 2 * 2200;

const readings: Readings = (car, round) => ({
  speedKmh: 40 + ((car * 7 + round * 13) % 40),
  coolantC: (car + round) % 5 === 0 ? null : 88 + ((car + round) % 6),
});

async function expectExact(place: Place, kills: number): Promise<void> {
  const report = await killAgainAndAgain({
    place,
    bundle: handBundle({ heads: [identityHead({ span: 4 })] }),
    bundleFile: join(dir, 'bundle.json'),
    readings,
    partitions: PARTITIONS,
    cars: CARS,
    kills,
    // A state of this small model in twenty events.
    stateBytes: 25,
    seed: 5,
  });
  expect(report).toMatchObject({
    events: kills * CARS,
    kills,
    mixedBatches: 0,
    problems: [],
    difference: null,
  });
  expect(report.compared).toBeGreaterThan(0.95 * report.events);
  expect(report.takeovers).toBeGreaterThan(kills);
  expect(report.replayed).toBeGreaterThan(CARS);
  expect(report.stateBytesPerEvent).toBeLessThan(26);
}

describe('scorers that are killed', () => {
  it('leave, on the embedded log, the scores of one that was not', { timeout: 300_000 }, () =>
    expectExact({ kind: 'embedded', dir }, 5),
  );

  it.skipIf('missing' in kafka)(
    'leave, on Kafka, the scores of one that was not',
    { timeout: 300_000 },
    async () => {
      if ('missing' in kafka) return;
      await expectExact({ kind: 'kafka', brokers: kafka.brokers, prefix: `takeover-${process.pid}-` }, 3);
    },
  );
});
