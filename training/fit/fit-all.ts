// All parts of a model, fitted on all rows, and on parts of them to judge the rest: relation heads in a thread,
// networks and simple heads on this one.
import type { LayersModel } from '@tensorflow/tfjs';
import type { ResidualHeadPlan } from '../../core/model/heads/residual/fit.ts';
import { wrapHead } from '../../core/model/heads/variant/fit.ts';
import { selectRows, variantRows } from '../../core/model/prepared.ts';
import { mapYielding } from '../../core/yield.ts';
import { variantsAmong } from '../data/variants.ts';
import type { Ground, Parts, TrainInput } from './ground.ts';
import { fitNetwork, type Network, withShiftsOf } from './network.ts';
import { type FittedHeads, fitRelationsBeside } from './relations.ts';

/** Share of the strangest training rows taken for faults, unless said otherwise. */
export const TRIM = 0.03;

/**
 * Heads besides the relation head. A linear forecast tells most on a single rig, where the same minutes come again and
 * again, and least on a fleet.
 */
const usualHeads = (oneRig: boolean): readonly ResidualHeadPlan[] => [
  { name: 'autoencoder', source: 'autoencoder', span: 30, share: 0.4 },
  { name: 'forecast', source: 'forecast', span: 30, share: oneRig ? 1 : 0.4 },
];

export interface Fitted {
  readonly parts: Parts;
  readonly model: LayersModel;
  /** What judged each fold. */
  readonly partsOf: (fold: number) => Parts;
}

/** The networks, with the heads that live off them. */
interface Networks {
  readonly final: Network;
  /** Each fitted on every other fold: they judge what the other has seen. None where no head lives off them. */
  readonly halves: readonly Network[];
}

/** The network costs most: two rough ones judge all cars. */
async function fitNetworks(
  input: TrainInput,
  { prepared, folds, variants, shared: { losses } }: Ground,
  progress: (done: number, what: string) => void,
): Promise<Networks> {
  const { seed, backend, signal, trim = TRIM, maxSteps = 1000 } = input;
  const heads = input.heads ?? usualHeads(folds.byTime);
  const inHalf = (half: number) => (r: number) => folds.ofRow[r]! % 2 === half;
  const halfRows = [0, 1].map((half) =>
    folds.ofRow.reduce((sum, fold) => sum + Number(fold % 2 === half), 0),
  );
  const fewestRows = Math.min(...halfRows);
  const options = { seed, backend, signal, trim, maxSteps, heads, fewestRows };
  const halves: Network[] = [];
  if (heads.length > 0) {
    for (const half of [0, 1]) {
      const keep = inHalf(half);
      const network = await fitNetwork(selectRows(prepared, keep), {
        ...options,
        variants: variantsAmong(variants, keep),
        share: 0.5,
        progress: (done, what) => progress(0.25 * (half + done), what),
      });
      network.model.dispose();
      halves.push(network);
    }
  }
  const final = await fitNetwork(prepared, {
    ...options,
    losses,
    variants,
    share: 1,
    progress: (done, what) => progress(0.5 + 0.5 * done, what),
  });
  return { final, halves: halves.map((half) => ({ ...half, heads: withShiftsOf(half.heads, final.heads) })) };
}

/** The heads whose kind says how they are fitted, of all variants: on all rows, and without each fold. */
async function fitSimple(
  { prepared, folds, variants, kinds }: Ground,
  trim: number,
  signal: AbortSignal,
): Promise<FittedHeads> {
  // All fits of a variant share what is sorted once.
  const each = await mapYielding(
    variants,
    (variant, v) => {
      const own = variantRows(prepared, variant);
      const ofRow = folds.ofRow.filter((_, r) => variant.rows[r] === 1);
      const rows = { prepared: own, folds: ofRow, foldCount: folds.count, trim, oneRig: folds.byTime };
      const fits = kinds.flatMap((kind) => kind.fits?.(rows) ?? []);
      return [-1, ...Array(folds.count).keys()].map((left) =>
        fits.map((fit) => wrapHead(fit(left), variants, v)),
      );
    },
    signal,
  );
  const [final, ...without] = [-1, ...Array(folds.count).keys()].map((_, place) =>
    each.flatMap((heads) => heads[place]!),
  );
  return { final: final!, folds: without };
}

interface AllParts {
  readonly networks: Networks;
  readonly simple: FittedHeads;
  readonly relations: FittedHeads;
}

/** Puts the parts together. */
function putTogether(ground: Ground, { networks: { final, halves }, simple, relations }: AllParts): Fitted {
  const watch = ground.kinds.flatMap((kind) => kind.watches?.(ground.shared.still) ?? []);
  const partsOf = (fold: number): Parts => {
    const other = halves[1 - (fold % 2)];
    return {
      network: (other ?? final).network,
      heads: [...relations.folds[fold]!, ...simple.folds[fold]!, ...watch, ...(other?.heads ?? [])],
    };
  };
  return {
    parts: {
      network: final.network,
      heads: [...relations.final, ...simple.final, ...watch, ...final.heads],
    },
    model: final.model,
    partsOf,
  };
}

/** What is fitted on this thread, while relations are fitted on another. */
async function fitHere(
  input: TrainInput,
  ground: Ground,
  progress: (done: number, what: string) => void,
): Promise<Omit<AllParts, 'relations'>> {
  const networks = await fitNetworks(input, ground, progress);
  try {
    return { networks, simple: await fitSimple(ground, input.trim ?? TRIM, input.signal) };
  } catch (error) {
    networks.final.model.dispose();
    throw error;
  }
}

/** Fits everything on all rows, and on parts of them to judge the rest. */
export async function fitAll(input: TrainInput, ground: Ground): Promise<Fitted> {
  const { prepared, folds, variants } = ground;
  const { seed, trim = TRIM, relationRows, relationUnits, progress = () => {} } = input;
  const done = { relations: 0, here: 0 };
  const say = (part: keyof typeof done) => (share: number, what: string) => {
    done[part] = share;
    progress(0.4 * done.relations + 0.5 * done.here, what);
  };
  progress(0, 'fitting relations beside the networks');
  // The first to fail stops the other, and says why.
  const failed = new AbortController();
  const signal = AbortSignal.any([input.signal, failed.signal]);
  const stopBoth = (error: unknown) => {
    failed.abort(error);
    throw error;
  };
  const { reconstruction: _, ...rows } = prepared;
  const { losses } = ground.shared;
  const work = { prepared: rows, variants, folds, seed, trim, relationRows, relationUnits, losses };
  const [beside, here] = await Promise.allSettled([
    fitRelationsBeside(work, { signal, progress: say('relations') }).catch(stopBoth),
    fitHere({ ...input, signal }, ground, say('here')).catch(stopBoth),
  ]);
  if (beside.status === 'fulfilled' && here.status === 'fulfilled')
    return putTogether(ground, { ...here.value, relations: beside.value });
  if (here.status === 'fulfilled') here.value.networks.final.model.dispose();
  throw failed.signal.reason;
}
