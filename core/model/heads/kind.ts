// What a kind of head is: all that the rest of the program asks of it, declared in its folder. Nothing outside asks
// what kind a head is. A new kind is a folder beside this file and a line in kinds.ts.
import { TelltaleError } from '../../errors.ts';
import type { ConstantSignals } from '../features.ts';
import type { LaneHead, LanePlace } from '../lanes/head.ts';
import type { Prepared } from '../prepared.ts';
import type { Head, HeadShape, HeadSpec } from './head.ts';

/** Rows of the cars of one variant, to fit a head on. */
export interface FitRows {
  readonly prepared: Prepared;
  /** The fold of each row; a car's rows share one. */
  readonly folds: Uint8Array;
  readonly foldCount: number;
  /** Share of the strangest rows taken for faults. */
  readonly trim: number;
  /** Whether all rows are of one rig: its own past tells less. */
  readonly oneRig: boolean;
}

/** The cars that some heads follow. */
export interface Crowd {
  /** The same for two that are the same cars. */
  readonly key: string;
  /** Whether a car is of it, by what its event measured. */
  readonly has: (present: Uint8Array, restart: boolean, followed: boolean) => boolean;
}

export interface HeadKind<Spec extends HeadSpec = HeadSpec> {
  /** As `kind` in a bundle. */
  readonly kind: Spec['kind'];
  /** What is known of it before it runs. @throws TelltaleError MODEL_INVALID */
  shape(spec: Spec, channels: number, kinds: HeadKinds): HeadShape;
  /** It in plain JavaScript. @throws TelltaleError MODEL_INVALID */
  reference(spec: Spec, channels: number, kinds: HeadKinds): Head;
  /** It in the lanes of the kernel. @throws TelltaleError MODEL_INVALID */
  lanes(spec: Spec, place: LanePlace, kinds: HeadKinds): LaneHead;
  /** Absent: it follows every car. Heads of one crowd follow the same cars. */
  crowd?(spec: Spec, channels: number): Crowd;
  /** Whether it judges what the network says. Absent: it does not. */
  readsNetwork?(spec: Spec, kinds: HeadKinds): boolean;
  /** For a head of signals that were constant, which are nobody's channels: how many it watches. */
  constants?(spec: Spec): number;
  /** What fits it without the rows of fold `left` (−1: on all); null: not on such rows. Absent: training has another way. */
  fits?(rows: FitRows): ((left: number) => Spec) | null;
  /** The heads that need no fit, for the signals that were constant. */
  watches?(constants: ConstantSignals): readonly Spec[];
}

export type HeadKinds = readonly HeadKind[];

/** @throws TelltaleError MODEL_INVALID */
export function kindOf({ kind, name }: HeadSpec, kinds: HeadKinds): HeadKind {
  const found = kinds.find((one) => one.kind === kind);
  if (!found) throw new TelltaleError('MODEL_INVALID', `head ${name}: unknown kind "${kind}"`);
  return found;
}

/** What is known of a bundle's head before it is made ready. @throws TelltaleError MODEL_INVALID */
export const shapeOf = (spec: HeadSpec, channels: number, kinds: HeadKinds): HeadShape =>
  kindOf(spec, kinds).shape(spec, channels, kinds);

/** A bundle's head in plain JavaScript. @throws TelltaleError MODEL_INVALID */
export const createHead = (spec: HeadSpec, channels: number, kinds: HeadKinds): Head =>
  kindOf(spec, kinds).reference(spec, channels, kinds);

/** A bundle's head in lanes. @throws TelltaleError MODEL_INVALID */
export const createLanes = (spec: HeadSpec, place: LanePlace, kinds: HeadKinds): LaneHead =>
  kindOf(spec, kinds).lanes(spec, place, kinds);

/** Whether a head judges what the network says. */
export const readsNetwork = (spec: HeadSpec, kinds: HeadKinds): boolean =>
  kindOf(spec, kinds).readsNetwork?.(spec, kinds) ?? false;
