// What a person may see of the fleet: twins and alerts joined, cut to the cars of the grant. REST and the live stream both
// answer from here.
import type { Clock } from '../core/service.ts';
import type { AlertIndex } from './alert-index.ts';
import { type Grant, grants } from './tokens.ts';
import type { Twin } from './twin.ts';

/** Alerts shown with a car. */
const CAR_ALERTS = 20;
const RATE_WINDOW_MS = 5_000;

export interface FleetViewOptions {
  /** The twin of the present champion; null while no model has been released. */
  readonly twin: () => Twin | null;
  readonly index: AlertIndex;
  readonly clock: Clock;
}

export class FleetView {
  readonly #options: FleetViewOptions;
  /** Recent (time, scores taken in) marks, for the rate. */
  #marks: { readonly atMs: number; readonly applied: number }[] = [];

  constructor(options: FleetViewOptions) {
    this.#options = options;
  }

  get ready(): boolean {
    return this.#options.twin() !== null;
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
  fleet(grant: Grant, offset: number, limit: number) {
    const { twin: twinOf, index, clock } = this.#options;
    const twin = twinOf();
    const nowMs = clock();
    const sees = grant.vins === null ? null : (vin: string) => grants(grant, vin);
    const { total, tiles } = twin?.tiles(nowMs, grant.vins, offset, limit) ?? { total: 0, tiles: [] };
    const cars = tiles.map(({ vin, ts, level }) => {
      const [alert] = index.openOf(vin);
      return { vin, ts, level, ...(alert ? { alertId: alert.alertId, severity: alert.severity } : {}) };
    });
    return {
      nowMs,
      model: twin?.model ?? null,
      total,
      open: sees === null ? index.openCount : index.open(sees, Number.POSITIVE_INFINITY).length,
      eventsPerSecond: twin ? this.#rate(twin, nowMs) : 0,
      offset,
      cars,
    };
  }

  /** One car with its samples later than `afterMs`; null when there is none that this grant sees. */
  car(grant: Grant, vin: string, afterMs: number) {
    const { twin: twinOf, index } = this.#options;
    const twin = twinOf();
    const car = grants(grant, vin) ? twin?.car(vin, afterMs) : null;
    if (!twin || !car) return null;
    const alerts = index.list({ sees: (other) => other === vin, limit: CAR_ALERTS });
    const usual = twin.usual();
    const signals = twin.catalogue.signals.map(({ name, unit, label }, i) => ({
      name,
      unit,
      label: label ?? name,
      usual: usual[i] ?? 0,
    }));
    return { ...car, model: twin.model, signals, alerts };
  }
}
