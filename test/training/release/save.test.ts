// The saved folder is a standard LayersModel: plain TensorFlow.js and, where it is installed (scripts/setup-keras.sh), Keras
// load it and give the kernel's output.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, loadBackend } from '../../../core/model/backend.ts';
import { readBundle } from '../../../core/model/bundle-file.ts';
import { compileNetwork } from '../../../core/model/kernel.ts';
import { normal, seededRandom } from '../../../core/model/random.ts';
import { layersOf, trainAutoencoder } from '../../../training/fit/autoencoder.ts';
import { writeModelFiles, writeWhole } from '../../../training/release/save.ts';
import { handBundle } from '../../support/hand-bundle.ts';

const PYTHON = new URL('../../../.cache/keras/bin/python', import.meta.url).pathname;
const CHANNELS = 5;
const ROWS = 20;

let dir: string;
let backend: Backend;
let model: LayersModel;
let rows: Float32Array;
/** The kernel's output for the rows. */
let wanted: number[][];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-save-'));
  backend = await loadBackend('wasm');
  const random = seededRandom(5);
  const training = Float32Array.from({ length: 200 * CHANNELS }, () => normal(random));
  model = await trainAutoencoder(training, CHANNELS, {
    ...{ backend, seed: 1, steps: 30, batch: 32, mask: 0.1, hidden: 16, bottleneck: 3 },
    signal: new AbortController().signal,
  });
  rows = training.slice(0, ROWS * CHANNELS);
  const network = compileNetwork(layersOf(model));
  const output = new Float64Array(CHANNELS);
  wanted = Array.from({ length: ROWS }, (_, r) => {
    network.run(Float64Array.from(rows.subarray(r * CHANNELS, (r + 1) * CHANNELS)), output);
    return [...output];
  });
  await writeWhole(join(dir, 'model'), (partial) => writeModelFiles(partial, model, handBundle()));
});

afterAll(() => {
  model.dispose();
  rmSync(dir, { recursive: true, force: true });
});

function furthest(found: readonly (readonly number[])[]): number {
  return Math.max(...found.flatMap((row, r) => row.map((value, k) => Math.abs(value - wanted[r]![k]!))));
}

describe("a model's folder", () => {
  it('holds the model, its bundle and its card', async () => {
    expect(readdirSync(join(dir, 'model')).sort()).toEqual([
      'bundle.json',
      'card.json',
      'catalogue.json',
      'model.json',
      'weights.bin',
    ]);
    expect(await readBundle(join(dir, 'model'))).toEqual(handBundle());
    const card = JSON.parse(readFileSync(join(dir, 'model', 'card.json'), 'utf8'));
    expect(card).toMatchObject({
      seed: 1,
      threshold: 1.5,
      catalogue: 'small 1',
      bundleHash: handBundle().hash,
    });
  });

  it('loads in plain TensorFlow.js and gives the same output to 1e-5', async () => {
    const { tf } = backend;
    const saved = JSON.parse(readFileSync(join(dir, 'model', 'model.json'), 'utf8'));
    const weights = readFileSync(join(dir, 'model', 'weights.bin'));
    const loaded = await tf.loadLayersModel(
      tf.io.fromMemory({
        modelTopology: saved.modelTopology,
        weightSpecs: saved.weightsManifest[0].weights,
        weightData: new Uint8Array(weights).buffer,
      }),
    );
    const output = loaded.predict(tf.tensor2d(rows, [ROWS, CHANNELS]));
    const found = (Array.isArray(output) ? output[0]! : output).arraySync() as number[][];
    expect(furthest(found)).toBeLessThan(1e-5);
  });

  it.skipIf(!existsSync(PYTHON) && process.env.CI !== 'true')(
    'loads in Keras and gives the same output to 1e-5 (scripts/setup-keras.sh installs it)',
    () => {
      const script = new URL('../../support/keras_check.py', import.meta.url).pathname;
      const input = Array.from({ length: ROWS }, (_, r) => [
        ...rows.subarray(r * CHANNELS, (r + 1) * CHANNELS),
      ]);
      const found = execFileSync(PYTHON, [script, join(dir, 'model')], {
        input: JSON.stringify(input),
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      expect(furthest(JSON.parse(found))).toBeLessThan(1e-5);
    },
    120_000,
  );

  it('is there whole or not at all: what fails half-way leaves the old folder and nothing else', async () => {
    const place = join(dir, 'kept');
    mkdirSync(place);
    writeFileSync(join(place, 'old'), 'old');
    const failing = writeWhole(place, async (partial) => {
      writeFileSync(join(partial, 'new'), 'new');
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(readdirSync(place)).toEqual(['old']);
    expect(readdirSync(dir).sort()).toEqual(['kept', 'model']);
    await writeWhole(place, async (partial) => writeFileSync(join(partial, 'new'), 'new'));
    expect(readdirSync(place)).toEqual(['new']);
    expect(readdirSync(dir).sort()).toEqual(['kept', 'model']);
  });

  it('takes away what killed processes left beside it long ago, and nothing else', async () => {
    const here = join(dir, 'beside');
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const names = [`.${gone}.partial`, `.${gone}.former`, `.${process.ppid}.partial`, '.1x.partial', 'other'];
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    for (const name of names) {
      mkdirSync(join(here, name), { recursive: true });
      utimesSync(join(here, name), longAgo, longAgo);
    }
    mkdirSync(join(here, `.${gone}9.partial`));
    await writeWhole(join(here, 'new'), async (partial) => writeFileSync(join(partial, 'x'), ''));
    const left = [`.${process.ppid}.partial`, '.1x.partial', 'other', `.${gone}9.partial`, 'new'];
    expect(readdirSync(here).sort()).toEqual(left.sort());
    rmSync(here, { recursive: true });
  });

  it('is refused when its bundle is damaged or gone', async () => {
    const place = join(dir, 'broken');
    mkdirSync(place);
    await expect(readBundle(place)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    writeFileSync(join(place, 'bundle.json'), JSON.stringify(handBundle()).slice(0, 300));
    await expect(readBundle(place)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    rmSync(place, { recursive: true });
  });
});
