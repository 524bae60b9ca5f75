// The model bundle: all that scoring needs, in one JSON value with a hash over it. It travels in the `models` topic and
// lies beside the saved TensorFlow model. What is damaged, of another feature version or for other signals is refused
// here.
import { createHash } from 'node:crypto';
import { Ajv } from 'ajv';
import { type Static, Type } from 'typebox';
import { Catalogue, catalogueHash, checkCatalogue } from '../catalogue.ts';
import { messageOf, TelltaleError } from '../errors.ts';
import { FEATURE_VERSION } from './features.ts';
import { checkHysteresis } from './hysteresis.ts';
import type { DenseLayer } from './kernel.ts';
import { decodeFloats } from './numbers.ts';

export const BUNDLE_FORMAT = 1;

const Floats = Type.String({ description: '32-bit floats, little-endian, base64' });

const TailSchema = Type.Object({
  at: Type.Array(Type.Number(), { minItems: 2 }),
  levels: Type.Array(Type.Number(), { minItems: 2 }),
  slope: Type.Number({ exclusiveMinimum: 0 }),
});

/** Where a model came from and what it saw: enough to train it again. `train` is owned by training. */
const Card = Type.Object({
  seed: Type.Integer(),
  backend: Type.String(),
  rows: Type.Integer(),
  cars: Type.Integer(),
  hours: Type.Number(),
  train: Type.Record(Type.String(), Type.Unknown()),
});
export type Card = Static<typeof Card>;

const Bundle = Type.Object({
  format: Type.Literal(BUNDLE_FORMAT),
  featureVersion: Type.Integer(),
  catalogue: Catalogue,
  catalogueHash: Type.String(),
  scaler: Type.Object({
    signals: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }),
    center: Type.Array(Type.Number()),
    scale: Type.Array(Type.Number({ exclusiveMinimum: 0 })),
    clip: Type.Number({ exclusiveMinimum: 0 }),
  }),
  /** Signals that stood still in training, rising, and what they were: no channels, but seen to (core/model/heads/constant/reference.ts). */
  still: Type.Object({
    signals: Type.Array(Type.Integer({ minimum: 0 })),
    values: Type.Array(Type.Number()),
  }),
  /** When a signal is lost, and what is then guessed of it (losses.ts). */
  losses: Type.Object({
    gaps: Type.Array(Type.Number({ minimum: 0 })),
    lowest: Type.Array(Type.Number()),
    highest: Type.Array(Type.Number()),
    kinds: Type.Array(
      Type.Object({ channels: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }), precision: Floats }),
      { minItems: 1 },
    ),
  }),
  /** Median of every signal of the catalogue: what is expected of those the model leaves out. */
  medians: Type.Array(Type.Union([Type.Number(), Type.Null()])),
  network: Type.Array(
    Type.Object({
      outputs: Type.Integer({ minimum: 1 }),
      activation: Type.Enum(['tanh', 'linear']),
      kernel: Floats,
      bias: Floats,
    }),
    { minItems: 1 },
  ),
  heads: Type.Array(
    Type.Object({
      kind: Type.String(),
      name: Type.String(),
      share: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    }),
    { minItems: 1 },
  ),
  /** One for each statistic of each head, in order. */
  tails: Type.Array(TailSchema, { minItems: 1 }),
  /** Absent: no statistic has a voice of its own (limit-alarm.ts). */
  voices: Type.Optional(
    Type.Object({
      limits: Type.Array(Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()])),
      strangeness: Type.Number({ exclusiveMinimum: 0 }),
    }),
  ),
  /** What scores are like before a car's usual strangeness is taken off (car-baseline.ts). */
  usual: Type.Object({ typical: Type.Number({ minimum: 0 }), most: Type.Number({ minimum: 0 }) }),
  threshold: Type.Number({ exclusiveMinimum: 0 }),
  hysteresis: Type.Object({ window: Type.Integer(), raise: Type.Integer(), release: Type.Integer() }),
  /** Usual time between two events of a car. */
  stepMs: Type.Number({ exclusiveMinimum: 0 }),
  /** A pause after which a car's state starts anew. */
  gapMs: Type.Number({ exclusiveMinimum: 0 }),
  /** Event time behind the car's newest beyond which an event is late. */
  latenessMs: Type.Number({ minimum: 0 }),
  card: Card,
  hash: Type.String({ description: 'SHA-256 over everything else, hex' }),
});
export type ModelBundle = Static<typeof Bundle>;
export type BundleContent = Omit<ModelBundle, 'hash'>;

let validate: ReturnType<Ajv['compile']> | undefined;

/** The hash of a bundle's content: SHA-256 of its JSON without `hash`, hex. */
export function bundleHash(bundle: BundleContent): string {
  const { hash: _, ...content } = bundle as ModelBundle;
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** Closes a bundle with its hash. */
export function sealBundle(content: BundleContent): ModelBundle {
  return { ...content, hash: bundleHash(content) };
}

/** How a model of before is made anew. */
const RETRAIN = 'telltale train (--csv FILE for a recording, --card CARD.json for the same records)';

function refuse(source: string, why: string): never {
  throw new TelltaleError('MODEL_INVALID', `${source}: ${why}`);
}

/**
 * Checks a parsed bundle: its form, its hash, its feature version, its catalogue. An Error in place of one is its
 * refusal.
 * @param expected the deployment's catalogue, when the model is to score its stream
 * @throws TelltaleError MODEL_INVALID naming `source` and what is wrong
 */
export function checkBundle(value: unknown, source: string, expected?: Catalogue): ModelBundle {
  if (value instanceof Error) refuse(source, value.message);
  const version = (value as { featureVersion?: unknown } | null)?.featureVersion;
  if (typeof version === 'number' && version !== FEATURE_VERSION)
    refuse(
      source,
      `made for feature version ${version}; this program computes ${FEATURE_VERSION}. Train it again: ${RETRAIN}.`,
    );
  validate ??= new Ajv({ strict: false }).compile(Bundle);
  if (!validate(value)) {
    const first = validate.errors?.[0];
    refuse(source, `damaged: ${first?.instancePath ?? ''} ${first?.message ?? 'is no model bundle'}`);
  }
  const bundle = value as ModelBundle;
  if (bundleHash(bundle) !== bundle.hash) refuse(source, 'damaged: its content does not match its hash');
  checkSizes(bundle, source);
  if (expected && catalogueHash(expected) !== bundle.catalogueHash) {
    refuse(
      source,
      `made for the signals of catalogue "${bundle.catalogue.name}" (${bundle.catalogueHash}), not for "${expected.name}" (${catalogueHash(expected)})`,
    );
  }
  return bundle;
}

function checkSizes(bundle: ModelBundle, source: string): void {
  const { catalogue, scaler, medians } = bundle;
  try {
    checkCatalogue(catalogue, source);
    checkHysteresis(bundle.hysteresis);
  } catch (cause) {
    throw new TelltaleError('MODEL_INVALID', messageOf(cause), { cause });
  }
  if (catalogueHash(catalogue) !== bundle.catalogueHash)
    refuse(source, 'damaged: catalogue and its hash differ');
  const channels = scaler.signals.length;
  if (scaler.center.length !== channels || scaler.scale.length !== channels)
    refuse(source, 'damaged: the scaler has lists of different lengths');
  if (
    scaler.signals.some(
      (signal, k) => signal >= catalogue.signals.length || signal <= (scaler.signals[k - 1] ?? -1),
    )
  )
    refuse(source, 'damaged: the scaler names a signal that the catalogue lacks');
  const { signals: still, values } = bundle.still;
  if (
    still.length !== values.length ||
    still.some(
      (signal, i) =>
        !(signal > (still[i - 1] ?? -1) && signal < medians.length) || scaler.signals.includes(signal),
    )
  )
    refuse(source, 'damaged: the signals that stood still do not fit the catalogue');
  const { gaps, lowest, highest } = bundle.losses;
  if (lowest.length !== channels || highest.length !== channels)
    refuse(source, 'damaged: the known range of each channel is needed');
  if (gaps.length !== catalogue.signals.length) refuse(source, 'damaged: a gap for each signal is needed');
  if (medians.length !== catalogue.signals.length)
    refuse(source, 'damaged: a median for each signal is needed');
  if (bundle.usual.most < bundle.usual.typical)
    refuse(source, 'damaged: the usual score is above the highest usual one');
  if (bundle.network.at(-1)!.outputs !== channels)
    refuse(source, 'damaged: the network does not give one number a channel');
  for (const { at, levels } of bundle.tails) {
    const rising = (list: readonly number[]) => list.every((x, i) => i === 0 || x > list[i - 1]!);
    if (at.length !== levels.length || !rising(at) || !rising(levels))
      refuse(source, 'damaged: a tail does not rise');
  }
}

/** The network's layers, decoded. @throws TelltaleError MODEL_INVALID */
export function bundleLayers(bundle: Pick<ModelBundle, 'network' | 'scaler'>): DenseLayer[] {
  let inputs = bundle.scaler.signals.length;
  return bundle.network.map(({ outputs, activation, kernel, bias }, k) => {
    const layer: DenseLayer = {
      inputs,
      outputs,
      activation,
      kernel: decodeFloats(kernel, inputs * outputs, `layer ${k}: kernel`),
      bias: decodeFloats(bias, outputs, `layer ${k}: bias`),
    };
    inputs = outputs;
    return layer;
  });
}
