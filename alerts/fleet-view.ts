// What a person may see of the fleet: twins and alerts joined, cut to the cars of the grant. REST and the live stream both
// answer from here. A car with an open alert is always there, also when no twin has heard of it: then as its alert tells it.
import type { Catalogue } from '../core/catalogue.ts';
import type { Clock } from '../core/service.ts';
import type { AlertIndex, AlertView } from './alert-index.ts';
import { ratioOf } from './ratio.ts';
import type { StreamWatch } from './stream-watch.ts';
import { type Grant, grants } from './tokens.ts';
import type { Twin } from './twin.ts';
import type { RememberedCar } from './twin-car.ts';
import type { Car, FaultChoice, Fleet, FoundCars, Tile } from './wire.ts';

/** Alerts shown with a car. */
const CAR_ALERTS = 20;
const RATE_WINDOW_MS = 5_000;
/** As long as a car may be silent where no model says how often cars speak. */
const SILENT_MS = 30_000;

export interface FleetViewOptions {
  /** The twin of the present champion; null while no model has been released. */
  readonly twin: () => Twin | null;
  readonly index: AlertIndex;
  readonly stream: StreamWatch;
  readonly clock: Clock;
  /** Told of each car that is looked at. */
  readonly look?: ((vin: string) => void) | undefined;
  /** Where cars can be broken: what can be wrong with them. */
  readonly faults?: readonly FaultChoice[] | undefined;
}

/** What an alert remembers of its car. */
function carOf(alert: AlertView, { signals }: Catalogue, nowMs: number): RememberedCar {
  const { updatedTs, score, threshold, top } = alert;
  const shares = new Map(top.map((share) => [share.signal, share]));
  return {
    // The car's clock may be ahead; it was not heard of later than now.
    ...{ ts: updatedTs, heardMs: Math.min(updatedTs, nowMs), score, threshold, top },
    level: ratioOf({ score, threshold }),
    values: signals.map(({ name }) => shares.get(name)?.value ?? null),
    expected: signals.map(({ name }) => shares.get(name)?.expected ?? null),
  };
}

const gravest = (alerts: readonly AlertView[]): AlertView | undefined =>
  alerts.find(({ severity }) => severity === 'critical') ?? alerts[0];

export class FleetView {
  readonly #options: FleetViewOptions;
  /** Recent (time, scores taken in) marks, for the rate. */
  #marks: { readonly atMs: number; readonly applied: number }[] = [];
  /** The twin that has been told of every car with an open alert. */
  #told: Twin | null = null;
  #settled = false;

  constructor(options: FleetViewOptions) {
    this.#options = options;
  }

  get ready(): boolean {
    return this.#options.twin() !== null;
  }

  /** The twin, once it knows of each car that has an alert: of a car that fell silent before a restart only the alert is left. */
  #twin(): Twin | null {
    const { twin: twinOf, index } = this.#options;
    const twin = twinOf();
    if (twin === null || twin === this.#told || !this.#settled) return twin;
    this.#told = twin;
    for (const alert of index.open(() => true, Number.POSITIVE_INFINITY).alerts) this.#remember(twin, alert);
    return twin;
  }

  #remember(twin: Twin, alert: AlertView): void {
    if (twin.has(alert.vin)) return;
    twin.recall(alert.vin, carOf(alert, twin.catalogue, this.#options.clock()));
  }

  /** All alerts that were in the log have been read: which are open is known from now on. */
  settle(): void {
    this.#settled = true;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** A phase of an alert came. */
  take(alertId: string): void {
    const twin = this.#twin();
    const alert = this.#options.index.get(alertId);
    if (this.#settled && twin && alert?.state === 'open') this.#remember(twin, alert);
  }

  /** Scores a second over the last seconds, as far as this view has been looked at. */
  #rate(twin: Twin, nowMs: number): number {
    const marks = this.#marks.filter(
      ({ atMs, applied }) => nowMs - atMs <= RATE_WINDOW_MS && applied <= twin.applied,
    );
    const last = marks.at(-1);
    if (!last || nowMs - last.atMs >= 200) marks.push({ atMs: nowMs, applied: twin.applied });
    this.#marks = marks;
    const first = marks[0]!;
    const seconds = (nowMs - first.atMs) / 1000;
    return seconds > 0 ? Math.round((twin.applied - first.applied) / seconds) : 0;
  }

  /** Cars strangest first, with what stands open against them. */
  fleet(grant: Grant, offset: number, limit: number): Fleet {
    const { index, clock, stream } = this.#options;
    const twin = this.#twin();
    const nowMs = clock();
    const { total, tiles } = twin?.tiles(nowMs, grant, offset, limit) ?? { total: 0, tiles: [] };
    const silentMs = twin?.silentMs ?? SILENT_MS;
    const cars = tiles.map((tile): Tile => {
      const alert = gravest(index.openOf(tile.vin));
      const silent = nowMs - tile.heardMs > silentMs;
      return { ...tile, silent, ...(alert ? { alertId: alert.alertId, severity: alert.severity } : {}) };
    });
    return {
      nowMs,
      model: twin?.model ?? null,
      stream: stream.of(grant),
      silentMs,
      total,
      open: index.openCountOf(grant),
      eventsPerSecond: twin ? this.#rate(twin, nowMs) : 0,
      offset,
      cars,
    };
  }

  /** Cars by a piece of their name. */
  find(grant: Grant, text: string, limit: number): FoundCars {
    return this.#twin()?.find(this.#options.clock(), grant, text, limit) ?? { total: 0, vins: [] };
  }

  /** True for a car that is known and may be seen. */
  knows(grant: Grant, vin: string): boolean {
    return grants(grant, vin) && (this.#twin()?.has(vin) ?? false);
  }

  /** Names that are near a name that is not there. */
  names(grant: Grant, limit: number): string[] {
    return (
      this.#twin()
        ?.tiles(this.#options.clock(), grant, 0, limit)
        .tiles.map(({ vin }) => vin) ?? []
    );
  }

  /** Faults that this car can have, as far as its signals say what kind of car it is. */
  faultsOf(vin: string): string[] {
    const measured = new Set(this.#twin()?.measured(vin) ?? []);
    const measures = (names: readonly string[]) =>
      names.length === 0 || names.some((name) => measured.has(name));
    const { faults = [] } = this.#options;
    return faults.filter(({ moves, needs }) => measures(moves) && measures(needs)).map(({ name }) => name);
  }

  /** One car with its samples later than `afterMs`; null when there is none that this grant sees. */
  car(grant: Grant, vin: string, afterMs: number): Car | null {
    if (!grants(grant, vin)) return null;
    const { index, clock } = this.#options;
    const twin = this.#twin();
    const car = twin?.car(vin, afterMs);
    if (!twin || !car) return this.#fromItsAlert(vin);
    this.#options.look?.(vin);
    const { alerts } = index.list({ sees: (other) => other === vin, limit: CAR_ALERTS });
    const usual = twin.usual();
    const signals = twin.catalogue.signals.map(({ name, unit, label }, i) => ({
      name,
      unit,
      label: label ?? name,
      usual: usual[i] ?? 0,
    }));
    const silent = clock() - car.heardMs > twin.silentMs;
    const { top, values, expected, ...rest } = car;
    return {
      ...{ ...rest, top: [...top], values: [...values], expected: [...expected] },
      ...{ silent, silentMs: twin.silentMs, model: twin.model, signals, faults: this.faultsOf(vin), alerts },
    };
  }

  /** A car that no twin knows, because there is no model at this moment: what its open alert says of it. */
  #fromItsAlert(vin: string): Car | null {
    const { index, clock } = this.#options;
    const alert = gravest(index.openOf(vin));
    if (!alert) return null;
    const nowMs = clock();
    const specs = alert.top.map(({ signal }) => ({ name: signal, unit: '', min: 0, max: 1 }));
    const { level, top, values, expected, ...rest } = carOf(
      alert,
      { name: 'alert', version: 1, signals: specs },
      nowMs,
    );
    return {
      ...{ vin, ...rest, level, top: [...top], values: [...values], expected: [...expected] },
      ...{ silent: nowMs - rest.heardMs > SILENT_MS, silentMs: SILENT_MS, lost: specs.map(() => null) },
      history: { ts: [], ratio: [], values: specs.map(() => []), expected: specs.map(() => []) },
      signals: specs.map(({ name }) => ({ name, unit: '', label: name, usual: 0 })),
      ...{ model: alert.model, faults: [] },
      alerts: index.list({ sees: (other) => other === vin, limit: CAR_ALERTS }).alerts,
    };
  }
}
