// The autoencoder, in TensorFlow.js: dense(64, tanh) → dense(8) → dense(64, tanh) → dense(D), fed rows with some inputs
// masked, so that it must learn a signal from the others. Seeded throughout: the same rows and seed give the same bytes
// on the same machine and backend.
import type { LayersModel, Tensor } from '@tensorflow/tfjs';
import { TelltaleError } from '../../core/errors.ts';
import type { Backend, Tf } from '../../core/model/backend.ts';
import type { Activation, DenseLayer } from '../../core/model/kernel.ts';
import { type Random, seededRandom } from '../../core/model/random.ts';

export interface AutoencoderOptions {
  readonly backend: Backend;
  readonly seed: number;
  /** Gradient steps. */
  readonly steps: number;
  readonly batch: number;
  /** Share of inputs masked in each row. */
  readonly mask: number;
  readonly hidden: number;
  readonly bottleneck: number;
  readonly signal: AbortSignal;
  /** Called now and then with steps done and the loss. */
  readonly progress?: (done: number, steps: number, loss: number) => void;
}

const FIRST_RATE = 3e-3;
const LAST_RATE = 1e-4;
/** Residuals beyond this many spreads pull no harder than at it (Huber 1964): strange rows do not bend the model. */
const HUBER = 1;

function glorot(random: Random, inputs: number, outputs: number): Float32Array {
  const limit = Math.sqrt(6 / (inputs + outputs));
  return Float32Array.from({ length: inputs * outputs }, () => (2 * random() - 1) * limit);
}

/** The untrained network, weights drawn from the seed. Input and output: batch × channels of features. */
export function buildAutoencoder(
  tf: Tf,
  channels: number,
  options: Pick<AutoencoderOptions, 'seed' | 'hidden' | 'bottleneck'>,
): LayersModel {
  const { hidden, bottleneck, seed } = options;
  const random = seededRandom(seed, 'weights');
  const shape: readonly (readonly [string, number, Activation])[] = [
    ['encoder', hidden, 'tanh'],
    ['bottleneck', bottleneck, 'linear'],
    ['decoder', hidden, 'tanh'],
    ['reconstruction', channels, 'linear'],
  ];
  const model = tf.sequential({ name: 'telltale_autoencoder' });
  shape.forEach(([name, units, activation], k) => {
    model.add(
      tf.layers.dense({
        name,
        units,
        activation,
        kernelInitializer: 'zeros',
        ...(k === 0 ? { inputShape: [channels] } : {}),
      }),
    );
  });
  let inputs = channels;
  const weights = shape.flatMap(([, units]) => {
    const kernel = tf.tensor2d(glorot(random, inputs, units), [inputs, units]);
    inputs = units;
    return [kernel, tf.zeros([units])];
  });
  model.setWeights(weights);
  for (const tensor of weights) tensor.dispose();
  return model;
}

/** Hands out row numbers in seeded passes over all rows, without end. */
function rowPasses(count: number, random: Random): () => number {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) order[i] = i;
  let next = count;
  return () => {
    if (next === count) {
      for (let i = count - 1; i > 0; i -= 1) {
        const j = Math.floor(random() * (i + 1));
        const kept = order[i]!;
        order[i] = order[j]!;
        order[j] = kept;
      }
      next = 0;
    }
    next += 1;
    return order[next - 1]!;
  };
}

/** Mean Huber loss of the rows' residuals. */
function huber(tf: Tf, wanted: Tensor, given: Tensor): Tensor {
  const error = tf.abs(tf.sub(wanted, given));
  const inner = tf.minimum(error, HUBER);
  return tf.mean(tf.sub(tf.mul(inner, error), tf.mul(tf.square(inner), 0.5)));
}

/**
 * Trains on `rows` (count × channels features, 0 where missing).
 * @throws TelltaleError ABORTED
 */
export async function trainAutoencoder(
  rows: Float32Array,
  channels: number,
  options: AutoencoderOptions,
): Promise<LayersModel> {
  const { backend, steps, mask, signal, progress } = options;
  const { tf } = backend;
  const count = rows.length / channels;
  const batch = Math.min(options.batch, count);
  const model = buildAutoencoder(tf, channels, options);
  const optimizer = tf.train.adam(FIRST_RATE);
  const nextRow = rowPasses(count, seededRandom(options.seed, 'order'));
  const random = seededRandom(options.seed, 'mask');
  const input = new Float32Array(batch * channels);
  const wanted = new Float32Array(batch * channels);
  try {
    for (let step = 0; step < steps; step += 1) {
      for (let r = 0; r < batch; r += 1) {
        const from = nextRow() * channels;
        for (let k = 0; k < channels; k += 1) {
          const value = rows[from + k]!;
          wanted[r * channels + k] = value;
          input[r * channels + k] = random() < mask ? 0 : value;
        }
      }
      // The rate falls along half a cosine.
      (optimizer as unknown as { learningRate: number }).learningRate =
        LAST_RATE + (FIRST_RATE - LAST_RATE) * 0.5 * (1 + Math.cos((Math.PI * step) / steps));
      const loss = tf.tidy(() => {
        const x = tf.tensor2d(input, [batch, channels]);
        const y = tf.tensor2d(wanted, [batch, channels]);
        return optimizer.minimize(() => huber(tf, y, model.apply(x) as Tensor).asScalar(), true)!;
      });
      const told = step % 25 === 24 || step === steps - 1 ? loss.dataSync()[0]! : null;
      loss.dispose();
      if (told !== null) {
        progress?.(step + 1, steps, told);
        // Lets Ctrl-C and whatever else shares the process have a turn.
        await new Promise((resolve) => setImmediate(resolve));
        if (signal.aborted) throw new TelltaleError('ABORTED', 'training was stopped');
      }
    }
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    optimizer.dispose();
  }
}

/** The trained weights as the kernel takes them. */
export function layersOf(model: LayersModel): DenseLayer[] {
  return model.layers
    .filter((layer) => layer.weights.length === 2)
    .map((layer) => {
      const [kernel, bias] = layer.getWeights();
      const [inputs, outputs] = kernel!.shape as [number, number];
      const activation = (layer.getConfig().activation as string) === 'tanh' ? 'tanh' : 'linear';
      return {
        inputs,
        outputs,
        activation,
        kernel: kernel!.dataSync<'float32'>().slice(),
        bias: bias!.dataSync<'float32'>().slice(),
      };
    });
}
