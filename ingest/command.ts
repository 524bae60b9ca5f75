// The commands of this room: `telltale ingest` runs the broker and the bridge; `dead-letters` and `redrive` care for what
// could not be accepted.
import { resolveCatalogue } from '../core/catalogue.ts';
import { counted } from '../core/counted.ts';
import { createFixedTopics } from '../core/log/create-topics.ts';
import { openLog } from '../core/log/open.ts';
import { startMetricsServer } from '../core/metrics-server.ts';
import { aborted, type Context } from '../core/service.ts';
import { momentMs } from '../core/setting-kinds.ts';
import type { Settings } from '../core/settings.ts';
import {
  addTo,
  type Choice,
  describeCounts,
  describeLetter,
  isChosen,
  readLetters,
  type StoredLetter,
} from './dead-letters.ts';
import { timeBoundsOf } from './plausible-time.ts';
import { redrive } from './redrive.ts';
import { startIngest } from './service.ts';

/** `telltale ingest`: until it is stopped or the log fails for good. */
export async function runIngest(settings: Settings, context: Context): Promise<void> {
  const { clock, metrics, say, signal, warn } = context;
  const catalogue = await resolveCatalogue(settings);
  const log = await openLog(settings, { clock, warn });
  try {
    const ingest = await startIngest({
      log,
      catalogue,
      host: settings.mqttHost,
      port: settings.mqttPort,
      password: settings.mqttPassword,
      maxConnections: settings.mqttMaxConnections,
      maxHeldBytes: settings.ingestBufferMb * 1024 * 1024,
      partitions: settings.partitions,
      timeBounds: timeBoundsOf(settings),
      metrics,
      clock,
      warn,
    });
    try {
      const monitor = await startMetricsServer({
        port: settings.metricsPort,
        metrics,
        health: () => ({ ...ingest.health(), ...ingest.stats() }),
      });
      say(`ingest: MQTT on ${settings.mqttHost}:${ingest.port}, catalogue ${catalogue.name}`);
      if (monitor) say(`ingest: metrics on http://127.0.0.1:${monitor.port}/metrics`);
      await Promise.race([ingest.done, aborted(signal)]).finally(() => monitor?.stop());
    } finally {
      await ingest.stop();
    }
    const { accepted, deadLetters } = ingest.stats();
    say(`ingest: stopped after ${counted(accepted, 'event')} and ${counted(deadLetters, 'dead letter')}`);
  } finally {
    await log.close();
  }
}

function choiceOf({ reason, from, to }: Settings, nowMs: number): Choice {
  return {
    ...(reason !== '' && { reason }),
    ...(from !== null && { fromMs: momentMs(from, nowMs) }),
    ...(to !== null && { toMs: momentMs(to, nowMs) }),
  };
}

/** `telltale dead-letters`: the newest of them, one a line, and how many there are of each reason. */
export async function runDeadLetters(settings: Settings, context: Context): Promise<void> {
  const { clock, say, signal, warn } = context;
  const choice = choiceOf(settings, clock());
  const log = await openLog(settings, { clock, warn });
  try {
    await createFixedTopics(log, settings.partitions);
    const counts = new Map<string, number>();
    const newest: StoredLetter[] = [];
    for await (const stored of readLetters(log, settings.all ? 'all' : 'open', signal)) {
      if (!isChosen(stored.letter, choice)) continue;
      addTo(counts, stored.letter.reason);
      newest.push(stored);
      if (newest.length > settings.limit) newest.shift();
    }
    for (const stored of newest) say(describeLetter(stored));
    say(`dead letters${settings.all ? '' : ' open'}: ${describeCounts(counts)}`);
  } finally {
    await log.close();
  }
}

/** `telltale redrive`: sends again what passes the present rules. */
export async function runRedrive(settings: Settings, context: Context): Promise<void> {
  const { clock, say, signal, warn } = context;
  const { dryRun } = settings;
  const catalogue = await resolveCatalogue(settings);
  const log = await openLog(settings, { clock, warn });
  try {
    await createFixedTopics(log, settings.partitions);
    const choice = choiceOf(settings, clock());
    const { sent, missing, failing, leftOut } = await redrive({
      ...{ log, catalogue, choice, dryRun, signal },
      timeBounds: timeBoundsOf(settings),
    });
    const lost =
      missing === 0
        ? ''
        : `; ${counted(missing, 'reading')} of them ${missing === 1 ? 'is' : 'are'} taken as missing`;
    say(`redrive: ${sent} ${dryRun ? 'would be sent' : 'sent'} again${lost}`);
    say(
      `redrive: still failing: ${describeCounts(failing)}${leftOut === 0 ? '' : `; not chosen: ${leftOut}`}`,
    );
  } finally {
    await log.close();
  }
}
