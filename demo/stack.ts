// The whole stream in one process: log, ingest, scoring, alerts with its server, started in the order of the flow and stopped
// in the same order, so that whatever entered is carried on or stays where it is durable.
import { tokensPath } from '../alerts/command.ts';
import { type Alerts, startAlerts } from '../alerts/service.ts';
import { operatorToken } from '../alerts/sign-in.ts';
import { followedTokenStore, readTokens } from '../alerts/tokens.ts';
import type { Catalogue } from '../core/catalogue.ts';
import type { FleetCommand } from '../core/events.ts';
import type { Log } from '../core/log/log.ts';
import { openLog } from '../core/log/open.ts';
import { type Backend, loadBackend } from '../core/model/backend.ts';
import type { ReleaseFollower } from '../core/model/releases.ts';
import type { Context, Service } from '../core/service.ts';
import type { Settings } from '../core/settings.ts';
import type { TimeBounds } from '../ingest/plausible-time.ts';
import { type Ingest, startIngest } from '../ingest/service.ts';
import { startScoring } from '../scoring/service.ts';
import { credentials } from '../simulator/command.ts';
import { connectFleetControl, type FleetControl } from '../simulator/control.ts';
import { faultChoices } from './serve.ts';

export interface Stack {
  readonly log: Log;
  readonly catalogue: Catalogue;
  readonly backend: Backend;
  readonly ingest: Ingest;
  readonly alerts: Alerts;
  readonly releases: ReleaseFollower;
  /** Opens the page signed in, once, in one browser. */
  readonly pageLink: string;
  /** Breaks and mends cars, the way the page does. */
  readonly control: FleetControl;
  /** Rejects as soon as a service fails on its own. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Stops what was started, the last opened last; the first error is thrown when all had their chance. */
async function stopAll(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}

/** Never resolves; rejects with the first failure of a service. */
function firstFailure(services: readonly Pick<Service, 'done'>[]): Promise<never> {
  const failed = Promise.race(services.map(({ done }) => done.then(() => new Promise<never>(() => {}))));
  failed.catch(() => undefined);
  return failed;
}

/** Runs the cars on the stack. When a service fails they are stopped too, and first: cars drive for ever. */
export async function driveOn(
  { failed }: Pick<Stack, 'failed'>,
  context: Context,
  drive: (context: Context) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const driving = drive({ ...context, signal: AbortSignal.any([context.signal, over.signal]) });
  try {
    await Promise.race([driving, failed]);
  } finally {
    over.abort();
    await driving.catch(() => undefined);
  }
}

/** Starts everything but the cars. @throws TelltaleError PORT_IN_USE, LOG_UNAVAILABLE, BACKEND_UNAVAILABLE */
export async function startStack(
  settings: Settings,
  context: Context,
  catalogue: Catalogue,
  { breakable, timeBounds }: { readonly breakable: boolean; readonly timeBounds: TimeBounds },
): Promise<Stack> {
  const { clock, metrics, warn, say } = context;
  const log = await openLog(settings, { clock, warn });
  const undo: (() => Promise<void>)[] = [() => log.close()];
  try {
    const ingest = await startIngest({
      ...{ log, catalogue, metrics, clock, warn, timeBounds },
      host: settings.mqttHost,
      port: settings.mqttPort,
      password: settings.mqttPassword,
      maxConnections: settings.mqttMaxConnections,
      maxHeldBytes: settings.ingestBufferMb * 1024 * 1024,
      partitions: settings.partitions,
    });
    undo.unshift(() => ingest.stop());
    const backend = await loadBackend(settings.tfBackend);
    const { stateBytes } = settings;
    const scoring = await startScoring({ log, catalogue, backend, metrics, clock, say, warn, stateBytes });
    undo.splice(1, 0, () => scoring.stop());
    const broker = { host: settings.mqttHost, port: ingest.port };
    const control = await connectFleetControl({ ...broker, ...credentials(settings) });
    undo.unshift(() => control.close());
    const tokensFile = tokensPath(settings);
    const alerts = await startAlerts({
      ...{ log, metrics, clock, warn },
      healthOf: () => ({ ingest: ingest.health(), ...scoring.health() }),
      host: settings.httpHost,
      port: settings.httpPort,
      tokens: followedTokenStore(tokensFile, clock, warn),
      champions: scoring.releases,
      ...(breakable
        ? {
            fleetControl: (command: FleetCommand) => control.send(command),
            faults: faultChoices(),
          }
        : {}),
    });
    undo.splice(undo.length - 1, 0, () => alerts.stop());
    const token = operatorToken(readTokens(tokensFile));
    return {
      ...{ log, catalogue, backend, ingest, alerts, control },
      pageLink: token === undefined ? alerts.url : alerts.server.pageLink(token),
      releases: scoring.releases,
      failed: firstFailure([ingest, scoring, alerts]),
      stop: () => stopAll(undo),
    };
  } catch (error) {
    await stopAll(undo).catch(() => undefined);
    throw error;
  }
}
