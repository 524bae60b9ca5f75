// A model's folder: a standard LayersModel (model.json, weights.bin) that plain TensorFlow.js and Keras load, the bundle, the
// card. It is written beside its place and moved there whole, so that a model is there or not, never half.
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { io, LayersModel } from '@tensorflow/tfjs';
import type { ModelBundle } from '../core/model/bundle.ts';

const WEIGHTS_FILE = 'weights.bin';

/** All that a model's folder holds, its report (report.ts) included: a folder with anything else is somebody's own. */
export const MODEL_FILES: readonly string[] = [
  'model.json',
  WEIGHTS_FILE,
  'bundle.json',
  'card.json',
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

/** `write` fills a folder that only then takes its place at `dir`; whatever was there before is replaced. */
export async function writeWhole(dir: string, write: (partial: string) => Promise<void>): Promise<void> {
  const partial = join(dirname(dir), `.${process.pid}.partial`);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    await write(partial);
    await rm(dir, { recursive: true, force: true });
    await rename(partial, dir);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** Writes the model's own files into a folder that exists. */
export async function writeModelFiles(dir: string, model: LayersModel, bundle: ModelBundle): Promise<void> {
  const { modelJson, weights } = await layersModelFiles(model);
  await writeFile(join(dir, 'model.json'), modelJson);
  await writeFile(join(dir, WEIGHTS_FILE), weights);
  await writeFile(join(dir, 'bundle.json'), JSON.stringify(bundle));
  const { card, hash, catalogue } = bundle;
  await writeFile(
    join(dir, 'card.json'),
    `${JSON.stringify({ ...card, threshold: bundle.threshold, catalogue: `${catalogue.name} ${catalogue.version}`, catalogueHash: bundle.catalogueHash, bundleHash: hash }, null, 2)}\n`,
  );
}
