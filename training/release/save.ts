// A model's folder: a standard LayersModel (model.json, weights.bin) that plain TensorFlow.js and Keras load, the
// bundle, the card. It is written beside its place and moved there whole, so that a model is there or not, never half.
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { io, LayersModel } from '@tensorflow/tfjs';
import type { ModelBundle } from '../../core/model/bundle.ts';

const WEIGHTS_FILE = 'weights.bin';

/** All that a model's folder holds, its report (report.ts) included: a folder with anything else is somebody's own. */
export const MODEL_FILES: readonly string[] = [
  'model.json',
  WEIGHTS_FILE,
  'bundle.json',
  'card.json',
  'catalogue.json',
  'report.html',
  'report.json',
];

/** The two files of TensorFlow.js's LayersModel format. */
export async function layersModelFiles(
  model: LayersModel,
): Promise<{ readonly modelJson: string; readonly weights: Uint8Array }> {
  let artifacts: io.ModelArtifacts | undefined;
  await model.save({
    save: async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
  });
  const { modelTopology, weightSpecs, weightData } = artifacts!;
  const parts = (Array.isArray(weightData) ? weightData : [weightData!]).map((part) => new Uint8Array(part));
  const modelJson = {
    format: 'layers-model',
    generatedBy: 'telltale',
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths: [WEIGHTS_FILE], weights: weightSpecs }],
  };
  return { modelJson: `${JSON.stringify(modelJson, null, 1)}\n`, weights: Buffer.concat(parts) };
}

/** `.PID.partial`: being filled by that process. `.PID.former`: replaced by it, about to go. */
const LEFTOVER = /^\.(\d+)\.(?:partial|former)$/;
/** Younger ones may be of a process that cannot be seen from here: another machine's on a shared disk. */
const LEFTOVER_MS = 3_600_000;

/** Removes what processes that were killed left beside `dir`. */
async function sweepLeftovers(dir: string): Promise<void> {
  for (const name of await readdir(dirname(dir))) {
    const pid = LEFTOVER.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const path = join(dirname(dir), name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > LEFTOVER_MS) await rm(path, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** `write` fills a folder that only then takes its place at `dir`; whatever was there before is replaced. */
export async function writeWhole(dir: string, write: (partial: string) => Promise<void>): Promise<void> {
  const partial = join(dirname(dir), `.${process.pid}.partial`);
  const former = join(dirname(dir), `.${process.pid}.former`);
  await sweepLeftovers(dir);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    await write(partial);
    const replaced = await rename(dir, former).then(
      () => true,
      () => false,
    );
    try {
      await rename(partial, dir);
    } catch (error) {
      if (replaced) await rename(former, dir);
      throw error;
    }
    await rm(former, { recursive: true, force: true });
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** Writes the model's own files into a folder that exists. `more`: what the card says of it besides. */
export async function writeModelFiles(
  dir: string,
  model: LayersModel,
  bundle: ModelBundle,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { modelJson, weights } = await layersModelFiles(model);
  await writeFile(join(dir, 'model.json'), modelJson);
  await writeFile(join(dir, WEIGHTS_FILE), weights);
  await writeFile(join(dir, 'bundle.json'), JSON.stringify(bundle));
  const { card, hash, catalogue } = bundle;
  await writeFile(join(dir, 'catalogue.json'), `${JSON.stringify(catalogue, null, 2)}\n`);
  await writeFile(
    join(dir, 'card.json'),
    `${JSON.stringify({ ...card, threshold: bundle.threshold, catalogue: `${catalogue.name} ${catalogue.version}`, catalogueHash: bundle.catalogueHash, bundleHash: hash, ...more }, null, 2)}\n`,
  );
}
