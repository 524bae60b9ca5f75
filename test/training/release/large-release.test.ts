// A model of 200 signals is larger than a record: it goes through the log in parts and comes out the same, on both logs.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { catalogueHash, checkCatalogue } from '../../../core/catalogue.ts';
import { createFixedTopics } from '../../../core/log/create-topics.ts';
import { openEmbeddedLog } from '../../../core/log/embedded.ts';
import { openKafkaLog } from '../../../core/log/kafka.ts';
import { type Log, MAX_RECORD_BYTES } from '../../../core/log/log.ts';
import { checkBundle, type ModelBundle } from '../../../core/model/bundle.ts';
import { encodeFloats } from '../../../core/model/numbers.ts';
import { normal, seededRandom } from '../../../core/model/random.ts';
import { partKey, partsOf } from '../../../core/model/release-parts.ts';
import { followReleases, readReleases } from '../../../core/model/releases.ts';
import { modelsTopic } from '../../../core/topics.ts';
import { promote, release } from '../../../training/release/registry.ts';
import { handBundle } from '../../support/hand-bundle.ts';
import { kafkaForTests } from '../../support/kafka.ts';

const kafka = await kafkaForTests();
const SIGNALS = 200;
const HIDDEN = 3000;
const CATALOGUE = checkCatalogue(
  {
    name: 'wide',
    version: 1,
    signals: Array.from({ length: SIGNALS }, (_, i) => ({ name: `s${i}`, unit: 'Ω', min: -1, max: 1 })),
  },
  'test',
);

function wideBundle(): ModelBundle {
  const random = seededRandom(1);
  const floats = (count: number) => encodeFloats(Float32Array.from({ length: count }, () => normal(random)));
  const layer = (inputs: number, outputs: number, activation: 'tanh' | 'linear') => ({
    ...{ outputs, activation },
    ...{ kernel: floats(inputs * outputs), bias: floats(outputs) },
  });
  return handBundle({
    catalogue: CATALOGUE,
    catalogueHash: catalogueHash(CATALOGUE),
    scaler: {
      signals: [...CATALOGUE.signals.keys()],
      center: Array(SIGNALS).fill(0),
      scale: Array(SIGNALS).fill(1),
      clip: 8,
    },
    still: { signals: [], values: [] },
    medians: Array(SIGNALS).fill(0),
    losses: {
      gaps: Array(SIGNALS).fill(2),
      lowest: Array(SIGNALS).fill(-8),
      highest: Array(SIGNALS).fill(8),
      kinds: [
        {
          channels: [...CATALOGUE.signals.keys()],
          precision: encodeFloats(
            Float32Array.from({ length: SIGNALS ** 2 }, (_, i) => (i % (SIGNALS + 1) === 0 ? 1 : 0)),
          ),
        },
      ],
    },
    network: [layer(SIGNALS, HIDDEN, 'tanh'), layer(HIDDEN, SIGNALS, 'linear')],
  });
}

const bundle = wideBundle();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function embedded(): Promise<Log> {
  const dir = mkdtempSync(join(tmpdir(), 'telltale-large-'));
  closers.push(async () => rmSync(dir, { recursive: true, force: true }));
  return openEmbeddedLog({ dir, prefix: '', clock: Date.now, warn: console.warn });
}

async function onKafka(): Promise<Log> {
  const brokers = 'brokers' in kafka ? [kafka.brokers] : [];
  const prefix = `large-${randomUUID()}.`;
  return openKafkaLog({ brokers, replication: 1, prefix, clock: Date.now, warn: console.warn });
}

describe.each([
  ['the embedded log', embedded, true],
  ['Kafka', onKafka, 'brokers' in kafka],
] as const)('a model of 200 signals on %s', (_, open, runs) => {
  it.runIf(runs)(
    'is released, followed, promoted and read back to the byte, beside a small one',
    async () => {
      const log = await open();
      closers.push(() => log.close());
      await createFixedTopics(log, 2);
      const stop = new AbortController();
      const warnings: string[] = [];
      const follower = await followReleases({
        ...{ log, signal: stop.signal, clock: Date.now },
        warn: (line) => warnings.push(line),
      });
      const options = { log, clock: Date.now, by: 'ada', note: '' };
      const followed = new Promise<void>((resolve) => follower.onChange(resolve));
      expect(await release({ ...options, version: 'wide', bundle, promote: false })).toBe('champion');
      await followed;
      expect(follower.current()?.bundle.hash).toBe(bundle.hash);
      await release({ ...options, version: 'small', bundle: handBundle(), promote: false });
      await release({ ...options, version: 'wide2', bundle, promote: false });
      expect(await promote(options, 'wide2', CATALOGUE)).toBe('wide2');

      const book = await readReleases(log);
      expect([...book.releases.keys()]).toEqual(['wide', 'small', 'wide2']);
      for (const version of ['wide', 'wide2']) {
        const read = checkBundle(book.releases.get(version)?.bundle, version, CATALOGUE);
        expect(JSON.stringify(read)).toBe(JSON.stringify(bundle));
      }
      expect(book.releases.get('small')).toMatchObject({ bundle: handBundle() });
      stop.abort();
      await follower.done;
      expect(warnings).toEqual([]);
    },
  );
});

describe('a model in parts', () => {
  const json = JSON.stringify(bundle);
  const at = { version: 'v', ts: 0, by: '', note: '' };

  it('has parts that fit a record', () => {
    const parts = partsOf('x'.repeat(64), json);
    expect(parts.length).toBeGreaterThan(4);
    for (const part of parts)
      expect(modelsTopic.encode(part).length + partKey(part).length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
  });

  it('is refused when a part is not there or damaged, and what was in charge goes on', async () => {
    const log = await embedded();
    closers.push(() => log.close());
    await createFixedTopics(log, 2);
    const parts = partsOf('v', json);
    const put = (list: typeof parts) =>
      log.append(modelsTopic.name, [
        ...list.map((part) => ({ key: partKey(part), value: modelsTopic.encode(part) })),
        { key: 'release/v', value: modelsTopic.encode({ kind: 'release', ...at, parts: parts.length }) },
      ]);
    const refusal = async () => {
      const { releases } = await readReleases(log);
      return () => checkBundle(releases.get('v')?.bundle, 'model v');
    };
    await put([]);
    expect(await refusal()).toThrow(`model v: damaged: part 1 of ${parts.length} is not in the log`);
    await put([{ ...parts[0]!, gzipBase64: parts[1]!.gzipBase64 }, ...parts.slice(1)]);
    expect(await refusal()).toThrow(/^model v: damaged: /);
    await put(parts);
    expect((await refusal())().hash).toBe(bundle.hash);
  });

  it('is not released when it is larger than anything sensible', () => {
    const random = randomBytes(50_000_000).toString('base64');
    expect(() => partsOf('v', random)).toThrow(/^model v takes \d+ bytes; \d+ can be released$/);
  });
});
