// The only place that loads TensorFlow.js. WebAssembly unless asked otherwise: measured faster than the native library
// at the batch sizes trained here, and it needs nothing but npm. It says which backend runs.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import nodeUtil from 'node:util';
import { messageOf, TelltaleError } from '../errors.ts';

export type Tf = typeof import('@tensorflow/tfjs');
export type BackendName = 'wasm' | 'node' | 'cpu';

export interface Backend {
  readonly tf: Tf;
  readonly name: BackendName;
  /** For a person and the model's card: backend and version. */
  readonly description: string;
}

const LOADERS: Readonly<Record<BackendName, () => Promise<Tf>>> = {
  wasm: async () => {
    const tf = await loadTf();
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(`${dirname(main)}/`);
    return tf;
  },
  node: async () => {
    // tfjs-node 4.22 calls two functions that Node 23 took out of node:util.
    const util = nodeUtil as unknown as Record<string, unknown>;
    util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
    util.isArray ??= Array.isArray;
    const native: string = '@tensorflow/tfjs-node';
    return normalise((await import(native)) as Tf | { default: Tf });
  },
  cpu: () => loadTf(),
};

/** CommonJS packages arrive with or without their names spelled out. */
function normalise(module: Tf | { default: Tf }): Tf {
  return 'default' in module && !('layers' in module) ? module.default : (module as Tf);
}

async function loadTf(): Promise<Tf> {
  return normalise((await import('@tensorflow/tfjs')) as Tf | { default: Tf });
}

async function load(name: BackendName): Promise<Backend> {
  const tf = await LOADERS[name]();
  const registered = name === 'node' ? 'tensorflow' : name;
  if (!(await tf.setBackend(registered))) throw new Error(`the ${name} backend does not start`);
  await tf.ready();
  return { tf, name, description: `TensorFlow.js ${tf.version.tfjs ?? ''} ${name}`.replace('  ', ' ') };
}

let loaded: { readonly asked: string; readonly backend: Promise<Backend> } | undefined;

/**
 * Loads TensorFlow.js once per process. `auto`: wasm, else native, else plain JavaScript.
 * @throws TelltaleError BACKEND_UNAVAILABLE
 */
export function loadBackend(asked: BackendName | 'auto' = 'auto'): Promise<Backend> {
  if (loaded?.asked === asked) return loaded.backend;
  const backend = choose(asked);
  loaded = { asked, backend };
  return backend;
}

async function choose(asked: BackendName | 'auto'): Promise<Backend> {
  const candidates: readonly BackendName[] = asked === 'auto' ? ['wasm', 'node', 'cpu'] : [asked];
  const failures: string[] = [];
  for (const name of candidates) {
    try {
      return await load(name);
    } catch (cause) {
      failures.push(`${name}: ${messageOf(cause)}`);
    }
  }
  throw new TelltaleError('BACKEND_UNAVAILABLE', failures.join('; '));
}
