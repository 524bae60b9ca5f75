// The commands of this room: `telltale serve` runs policy, page and feed; `telltale alerts` is a phone in the terminal.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveCatalogue } from '../core/catalogue.ts';
import { messageOf, TelltaleError } from '../core/errors.ts';
import { createFixedTopics } from '../core/log/create-topics.ts';
import { openLog } from '../core/log/open.ts';
import { followReleases } from '../core/model/releases.ts';
import { printable } from '../core/printable.ts';
import { aborted, type Context } from '../core/service.ts';
import type { Settings } from '../core/settings.ts';
import { type Alert, followAlerts, streamWords } from './page/phone-client.js';
import type { FleetControl } from './route-options.ts';
import { startAlerts } from './service.ts';
import { operatorToken } from './sign-in.ts';
import { followedTokenStore, readOrMakeTokens, readTokens } from './tokens.ts';
import type { AlertList, FaultChoice } from './wire.ts';

/** What main may hand over from other rooms. */
export interface ServeExtras {
  readonly fleetControl?: FleetControl;
  readonly faults?: readonly FaultChoice[];
}

/** Where the tokens are: the file of the setting, else the one in the data folder, made on first use. */
export function tokensPath(settings: Pick<Settings, 'tokensFile' | 'dataDir'>): string {
  if (settings.tokensFile !== '') return settings.tokensFile;
  const path = join(settings.dataDir, 'tokens.json');
  readOrMakeTokens(path);
  return path;
}

/** `telltale serve`: until it is stopped or the log fails for good. */
export async function runServe(
  settings: Settings,
  context: Context,
  _positionals: readonly string[] = [],
  extras: ServeExtras = {},
): Promise<void> {
  const { clock, metrics, say, signal, warn } = context;
  const catalogue = await resolveCatalogue(settings);
  const path = tokensPath(settings);
  const tokens = followedTokenStore(path, clock, warn);
  const log = await openLog(settings, { clock, warn });
  const stopping = new AbortController();
  try {
    await createFixedTopics(log, settings.partitions);
    const champions = await followReleases({ log, catalogue, clock, warn, signal: stopping.signal });
    const { httpHost: host, httpPort: port } = settings;
    const alerts = await startAlerts({
      ...{ log, host, port, tokens, metrics, clock, warn, champions },
      ...extras,
    });
    say(`serve: page, REST and feed on ${alerts.url}; tokens in ${path}`);
    const token = operatorToken(readTokens(path));
    if (token !== undefined)
      say(`page: ${alerts.server.pageLink(token)} (once; telltale page-link prints another)`);
    if (champions.current() === null) say('serve: waiting for a first model (telltale train)');
    try {
      await Promise.race([alerts.done, champions.done, aborted(signal)]);
    } finally {
      await alerts.stop();
    }
  } finally {
    stopping.abort();
    await log.close();
  }
}

/** One alert phase as a line: begins with `alert`, ends with the reason in words. */
export function alertLine({
  phase,
  vin,
  severity,
  reason,
}: Pick<Alert, 'phase' | 'vin' | 'severity' | 'reason'>): string {
  return `alert ${printable(vin)} ${phase === 'raised' ? '' : `${phase} `}${severity} ${printable(reason, 1000)}`;
}

/** `telltale alerts`: the newest ones once, or with --follow each phase as it comes. */
export async function runAlerts(settings: Settings, context: Context): Promise<void> {
  if (settings.token === '')
    throw new TelltaleError('CONFIG_INVALID', '--token: is needed (or TELLTALE_TOKEN)');
  if (settings.follow) await follow(settings, context);
  else await list(settings, context);
}

async function list({ url, token, vin, limit }: Settings, { say, warn }: Context): Promise<void> {
  let answer: Response;
  try {
    const headers = { authorization: `Bearer ${token}` };
    const query = new URLSearchParams({ limit: String(vin.length > 1 ? 1000 : Math.min(limit, 1000)) });
    if (vin.length === 1) query.set('vin', vin[0]!);
    answer = await fetch(`${url.replace(/\/$/, '')}/api/alerts?${query}`, { headers });
  } catch (cause) {
    const why = messageOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
    throw new TelltaleError(
      'SERVER_UNAVAILABLE',
      `${url}: ${why}; is npm start or telltale serve running there?`,
      { cause },
    );
  }
  const text = await answer.text();
  let body: Partial<AlertList> & { code?: string; message?: string };
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy in front that cannot reach the server, or another server altogether.
    throw new TelltaleError('SERVER_UNAVAILABLE', `${url}: answers ${answer.status}, not with alerts`);
  }
  if (!body.alerts)
    throw new TelltaleError('SERVER_REFUSED', `${url}: ${printable(body.code)}: ${printable(body.message)}`);
  const wanted = body.alerts.filter((alert) => vin.length === 0 || vin.includes(alert.vin)).slice(0, limit);
  for (const { state, ...alert } of wanted.toReversed())
    say(
      `${new Date(alert.raisedTs).toISOString()} ${alertLine({ ...alert, phase: state === 'open' ? 'raised' : 'cleared' })}`,
    );
  const { total = 0, open = 0, stream } = body;
  const listed = total > wanted.length ? `the newest ${wanted.length} of ${total}; ` : '';
  warn(
    `alerts: ${listed}${open} open; ${stream ? streamWords(stream) : 'an older server: is anything watched?'}`,
  );
}

/** The cursor of the last run; none when there is no such file yet. */
async function keptCursor(file: string): Promise<string | undefined> {
  if (file === '') return undefined;
  try {
    return (await readFile(file, 'utf8')).trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new TelltaleError('CONFIG_INVALID', `--cursor-file: ${messageOf(error)}`, { cause: error });
  }
}

async function follow(
  { url, token, vin, cursorFile }: Settings,
  { say, warn, signal }: Context,
): Promise<void> {
  const cursor = await keptCursor(cursorFile);
  let latest = cursor;
  let saving: Promise<void> | null = null;
  const save = async () => {
    let saved: string | undefined;
    while (cursorFile !== '' && latest !== undefined && latest !== saved) {
      saved = latest;
      // Written beside and renamed, so that a power cut leaves the old one or the new one.
      await writeFile(`${cursorFile}.new`, saved);
      await rename(`${cursorFile}.new`, cursorFile);
    }
    saving = null;
  };
  const refused = Promise.withResolvers<never>();
  const client = followAlerts({
    url,
    token,
    ...(vin.length > 0 ? { vins: vin } : {}),
    ...(cursor === undefined ? {} : { cursor }),
    onAlert: (alert) => say(alertLine(alert)),
    onSnapshot: (alerts, open) => {
      for (const alert of alerts) say(alertLine({ ...alert, phase: 'raised' }));
      if (open > alerts.length) warn(`alerts: ${alerts.length} of ${open} open ones are listed here`);
    },
    onCursor: (next) => {
      latest = next;
      saving ??= save();
      saving.catch(refused.reject);
    },
    onGap: () => warn('alerts: some may be missing: the cursor is older than what the server keeps'),
    onState: (state, why) => {
      if (state === 'refused') refused.reject(new TelltaleError('SERVER_REFUSED', `${url}: ${why}`));
    },
    // On stderr, and each change once: whoever reads the alerts knows whether silence is good news.
    onStatus: ({ kind, words }) => {
      if (kind !== 'connecting' && kind !== 'refused' && kind !== 'closed') warn(`alerts: ${words}`);
    },
  });
  try {
    await Promise.race([refused.promise, aborted(signal)]);
  } finally {
    client.close();
    await saving;
  }
}
