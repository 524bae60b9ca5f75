// The room as one service: the policy that writes alerts, the twin, and the server of people and phones, all following the
// champion. The demo runs it inside its process, `telltale serve` in one of its own; several of them share the policy's work.
import { messageOf, TelltaleError } from '../core/errors.ts';
import { LagWatch } from '../core/log/lag-watch.ts';
import { type Service, supervise } from '../core/service.ts';
import { scoreCursor, scoresTopic } from '../core/topics.ts';
import { type ChampionSource, followChampions } from './champions.ts';
import { type Champion, createReignTopics, policyGroup, Reign, type ReignOptions } from './reign.ts';
import { type Server, type ServerOptions, startServer } from './server.ts';
import { Twin, type TwinOptions } from './twin.ts';
import { twinStart } from './twin-start.ts';

export interface AlertsOptions extends Omit<ServerOptions, 'twin'> {
  readonly champions: ChampionSource;
  readonly policy?: ReignOptions['policy'];
  readonly warmUpMs?: number;
  readonly twin?: Partial<Pick<TwinOptions, 'samples' | 'historyBytes' | 'maxCars'>>;
}

export interface Alerts extends Service {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** Scores that the twin of the present champion has taken in. */
  applied(): number;
}

async function feedTwin(options: AlertsOptions, champion: Champion, twin: Twin, signal: AbortSignal) {
  const { log, clock, warn } = options;
  const topic = scoresTopic(champion.version).name;
  const from = { offsets: await twinStart(log, topic, clock()) };
  const score = scoreCursor();
  for await (const { records } of log.read(topic, { from, signal })) {
    for (const { value, timestampMs } of records) {
      if (value === null) continue;
      try {
        score.open(value, timestampMs);
        while (score.next()) twin.apply(score, score.receivedTs);
      } catch (error) {
        if (!(error instanceof TelltaleError) || error.code !== 'RECORD_INVALID') throw error;
        warn(`alerts: twin: scores passed over: ${messageOf(error)}`);
      }
    }
  }
}

/** The policy and the twin of one champion, until its reign ends. */
async function serveChampion(
  options: AlertsOptions,
  champion: Champion,
  signal: AbortSignal,
  show: (next: (former: Twin | null) => Twin) => void,
): Promise<void> {
  const { log, metrics, clock, warn, policy, warmUpMs } = options;
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const reign = (attempt: AbortSignal) =>
    new Reign({
      ...{ log, champion, metrics, clock, warn, signal: attempt },
      ...(policy === undefined ? {} : { policy }),
      ...(warmUpMs === undefined ? {} : { warmUpMs }),
    }).run();
  const { catalogue, version: model } = champion;
  const watch = () => {
    const { stepMs = 1000 } = champion.bundle ?? {};
    const twin = new Twin({ ...options.twin, catalogue, model, stepMs });
    show((former) => {
      if (former) twin.inherit(former);
      return twin;
    });
    return feedTwin(options, champion, twin, both);
  };
  const supervised = (name: string, attempt: () => Promise<void>) =>
    supervise({ name: `alerts: ${name}`, signal: both, warn, clock }, attempt);
  // Both read them; a log that is away at this moment is waited for as it is later.
  await supervised('topics', () => createReignTopics(log, champion.version));
  const work = [supervised('policy', () => reign(both)), supervised('twin', watch)];
  try {
    await Promise.all(work);
  } finally {
    ended.abort();
    await Promise.allSettled(work);
  }
}

/** Starts policy, twin and server. @throws TelltaleError PORT_IN_USE */
export async function startAlerts(options: AlertsOptions): Promise<Alerts> {
  const stopping = new AbortController();
  let twin: Twin | null = null;
  const policy = new LagWatch({
    ...{ log: options.log, clock: options.clock, what: 'records of scores the policy has not seen' },
    minGrowing: 100,
    target: () => {
      const champion = options.champions.current();
      return champion && { group: policyGroup(champion), topic: scoresTopic(champion.version).name };
    },
  });
  const parts = () => ({ policy: policy.health, ...options.healthOf?.() });
  const server = await startServer({ ...options, twin: () => twin, healthOf: parts });
  policy.start(stopping.signal);
  const following = followChampions(options.champions, stopping.signal, (champion, signal) =>
    serveChampion(options, champion, signal, (next) => {
      twin = next(twin);
    }),
  );
  const done = Promise.all([following, server.done]).then(() => undefined);
  // Whoever awaits `done` sees a failure; nobody having to must not end the process.
  done.catch(() => undefined);
  return {
    name: 'alerts',
    url: server.url,
    port: server.port,
    server,
    applied: () => twin?.applied ?? 0,
    done,
    stop: async () => {
      stopping.abort();
      await following.catch(() => undefined);
      await server.stop();
    },
  };
}
