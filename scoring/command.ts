// The commands of this room: `score` (the service, or a recording with --csv) and `reprocess`.
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { resolveCatalogue } from '../core/catalogue.ts';
import { counted } from '../core/counted.ts';
import { TelltaleError } from '../core/errors.ts';
import { givenFlags } from '../core/given-flags.ts';
import { healthOfAll } from '../core/health.ts';
import { createFixedTopics } from '../core/log/create-topics.ts';
import { openLog } from '../core/log/open.ts';
import { startMetricsServer } from '../core/metrics-server.ts';
import { loadBackend } from '../core/model/backend.ts';
import { checkBundle } from '../core/model/bundle.ts';
import { readBundle } from '../core/model/bundle-file.ts';
import { type AliasName, readReleases } from '../core/model/releases.ts';
import { readingOf } from '../core/recording.ts';
import type { Context } from '../core/service.ts';
import type { Settings } from '../core/settings.ts';
import { scoreCsv } from './csv.ts';
import { reprocess } from './reprocess.ts';
import { readyDetector, startScoring } from './service.ts';

/** `telltale score`: a recording when --csv names one, otherwise the stream until stopped. */
export async function runScore(settings: Settings, context: Context): Promise<void> {
  if (settings.csv !== '') return runScoreCsv(settings, context);
  checkStreamFlags(settings);
  const { clock, metrics, say, warn, signal } = context;
  const catalogue = await resolveCatalogue(settings);
  const backend = await loadBackend(settings.tfBackend);
  const log = await openLog(settings, { clock, warn });
  try {
    await createFixedTopics(log, settings.partitions);
    const { stateBytes } = settings;
    const scoring = await startScoring({ log, catalogue, backend, metrics, clock, say, warn, stateBytes });
    const health = () => ({ ...healthOfAll(scoring.health()), versions: scoring.versions() });
    const monitor = await startMetricsServer({ port: settings.metricsPort, metrics, health });
    if (scoring.versions().length === 0)
      say('score: no model is in charge yet; waiting for the first release');
    if (monitor) say(`score: metrics on http://127.0.0.1:${monitor.port}/metrics`);
    const stop = () => void scoring.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      if (!signal.aborted) await scoring.done;
    } finally {
      signal.removeEventListener('abort', stop);
      await scoring.stop();
      await monitor?.stop();
    }
  } finally {
    await log.close();
  }
}

/** Why the scores of `csv` cannot be written to `out`: found out before the work, not after it. */
async function outFaults(out: string, csv: string): Promise<string[]> {
  const isFolder = async (path: string) => (await stat(path).catch(() => null))?.isDirectory() ?? false;
  if (await isFolder(out)) return [`--out ${out}: is a folder; name the file to write`];
  if (!(await isFolder(dirname(resolve(out))))) return [`--out ${out}: there is no folder ${dirname(out)}`];
  return resolve(out) === resolve(csv) ? [`--out ${out}: is the recording itself`] : [];
}

/** @throws TelltaleError CONFIG_INVALID for flags that only --csv knows */
function checkStreamFlags(settings: Settings): void {
  const faults = givenFlags(settings, [
    ...(['model', 'out', 'id', 'time', 'ignore', 'skipLines', 'delimiter', 'decimal'] as const),
  ]).map(
    (flag) =>
      `${flag}: goes with --csv${flag === '--model' ? '; the stream is scored by champion and challenger (telltale promote)' : ''}`,
  );
  if (faults.length > 0) throw new TelltaleError('CONFIG_INVALID', faults.join('\n'));
}

async function runScoreCsv(settings: Settings, { say, warn, signal }: Context): Promise<void> {
  const { csv, model, out } = settings;
  const faults = [
    ...(model === '' ? ['--model: the model folder must be named'] : []),
    ...(out === '' ? ['--out: the file to write must be named'] : await outFaults(out, csv)),
  ];
  if (faults.length > 0) throw new TelltaleError('CONFIG_INVALID', faults.join('\n'));
  const bundle = await readBundle(model);
  const backend = await loadBackend(settings.tfBackend);
  const detector = readyDetector(bundle, backend, model);
  const { rows, alerts, ids, faulty } = await scoreCsv({
    file: csv,
    reading: readingOf(settings),
    out,
    detector,
    signal,
    warn,
  });
  say(
    `scored ${counted(rows, 'row')} of ${counted(ids, 'id')}${faulty > 0 ? ` (${faulty.toLocaleString('en')} faulty)` : ''}: ${counted(alerts, 'alert')} at threshold ${bundle.threshold}; written to ${out}`,
  );
}

/** Why a run ends with nothing scored, and what to do. */
function nothingToReprocess(version: string, alias: AliasName | undefined): string {
  const again =
    alias === undefined
      ? `telltale drop ${version}, then reprocess`
      : `it is ${alias}: put another model there (telltale promote), then telltale drop ${version}, then reprocess`;
  return `nothing to reprocess: ${version} has a score for every event of the log, from the first offset kept to the end; to compute them anew: ${again}`;
}

/** `telltale reprocess --model MODEL`. */
export async function runReprocess(
  settings: Settings,
  context: Context,
  positionals: readonly string[],
): Promise<void> {
  const { clock, metrics, say, warn, signal } = context;
  const name = positionals[0] ?? settings.model;
  if (name === '') throw new TelltaleError('CONFIG_INVALID', '--model: name a version, or challenger');
  const catalogue = await resolveCatalogue(settings);
  const backend = await loadBackend(settings.tfBackend);
  const log = await openLog(settings, { clock, warn });
  try {
    await createFixedTopics(log, settings.partitions);
    const book = await readReleases(log);
    const version = book.aliases.get(name as AliasName)?.version ?? name;
    const released = book.releases.get(version);
    if (!released) throw new TelltaleError('MODEL_NOT_FOUND', `no model "${name}" is released`);
    const bundle = checkBundle(released.bundle, `model ${version}`, catalogue);
    const detector = readyDetector(bundle, backend, `model ${version}`);
    let next = 0;
    const startedMs = clock();
    const scored = await reprocess({
      log,
      version,
      detector,
      metrics,
      signal,
      warn,
      stateBytes: settings.stateBytes,
      ...(settings.full ? { isWatched: () => true } : {}),
      progress: (done, all) => {
        if (done / all < next) return;
        say(
          `reprocessing ${version}: ${Math.round((100 * done) / all)} %, ${done.toLocaleString('en')} of ${all.toLocaleString('en')}`,
        );
        next = Math.floor((done / all) * 10 + 1) / 10;
      },
    });
    if (scored === 0) {
      say(
        nothingToReprocess(
          version,
          [...book.aliases.values()].find((held) => held.version === version)?.alias,
        ),
      );
      return;
    }
    const seconds = Math.max(0.001, (clock() - startedMs) / 1000);
    say(`reprocessed ${counted(scored, 'event')} in ${seconds.toFixed(1)} s`);
  } finally {
    await log.close();
  }
}
