// What the routes are given.
import type { FleetCommand } from '../core/events.ts';
import type { Clock } from '../core/service.ts';
import type { FleetView } from './fleet-view.ts';
import type { Visitors } from './http.ts';
import type { SignIn } from './sign-in.ts';
import type { StreamWatch } from './stream-watch.ts';
import type { AlertTail } from './tail.ts';
import type { Grant } from './tokens.ts';
import type { FaultChoice } from './wire.ts';

/** Sends an order to the simulated fleet. */
export type FleetControl = (command: FleetCommand) => Promise<void>;

export interface RouteOptions {
  readonly visitors: Visitors;
  readonly signIn: SignIn;
  readonly view: FleetView;
  readonly tail: AlertTail;
  readonly stream: StreamWatch;
  readonly clock: Clock;
  readonly acknowledge: (alertId: string, grant: Grant) => Promise<boolean>;
  readonly signal: AbortSignal;
  /** Absent: there is nothing to break, and the page has no button. */
  readonly fleetControl?: FleetControl | undefined;
  readonly faults?: readonly FaultChoice[] | undefined;
  /** Time between two pictures of the live stream. */
  readonly liveMs: number;
}
