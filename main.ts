#!/usr/bin/env node
// The command table: what telltale can do, which settings each command takes, and where it is done.
import { describeSettings, readConfig } from './core/config.ts';
import { didYouMean } from './core/did-you-mean.ts';
import { errorText } from './core/error-text.ts';
import { TelltaleError } from './core/errors.ts';
import { Metrics } from './core/metrics.ts';
import { printableLine } from './core/printable.ts';
import type { Context } from './core/service.ts';
import { LOG_SETTINGS, RECORDING_SETTINGS, type SettingKey, type Settings } from './core/settings.ts';

type Run = (settings: Settings, context: Context, positionals: readonly string[]) => Promise<void>;

interface Command {
  readonly about: string;
  readonly usage?: string;
  /** How many arguments it takes beside flags; one where `usage` says how. */
  readonly arguments?: number;
  readonly settings: readonly SettingKey[];
  /** Loads the room only when the command runs. */
  readonly load: () => Promise<Run>;
}

/** Every command; the reference page is made from it. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  demo: {
    about:
      'Run the whole stream in one process: a fleet that breaks, or with --csv your own drives (npm start)',
    settings: [
      ...LOG_SETTINGS,
      'catalogue',
      'scenario',
      'fleetSize',
      'fleetSeed',
      'history',
      'duration',
      'processes',
      ...RECORDING_SETTINGS,
      'speed',
      'alertBudget',
      'seed',
      'effort',
      'maxRows',
      'by',
      'note',
      'tfBackend',
      'stateBytes',
      'mqttHost',
      'mqttPort',
      'mqttPassword',
      'mqttMaxConnections',
      'ingestBufferMb',
      'maxEventAge',
      'maxEventAhead',
      'httpHost',
      'httpPort',
      'tokensFile',
    ],
    load: async () => (await import('./demo/command.ts')).runDemo,
  },
  ingest: {
    about: 'Run the MQTT broker; each event is judged, made durable in the log, then acknowledged',
    settings: [
      ...LOG_SETTINGS,
      'catalogue',
      'mqttHost',
      'mqttPort',
      'mqttPassword',
      'mqttMaxConnections',
      'ingestBufferMb',
      'maxEventAge',
      'maxEventAhead',
      'metricsPort',
    ],
    load: async () => (await import('./ingest/command.ts')).runIngest,
  },
  'dead-letters': {
    about: 'List what could not be accepted and why',
    settings: [...LOG_SETTINGS, 'reason', 'from', 'to', 'limit', 'all'],
    load: async () => (await import('./ingest/command.ts')).runDeadLetters,
  },
  redrive: {
    about: 'Send dead letters again, each once, where they pass the present rules and catalogue',
    settings: [
      ...LOG_SETTINGS,
      'catalogue',
      'reason',
      'from',
      'to',
      'maxEventAge',
      'maxEventAhead',
      'dryRun',
    ],
    load: async () => (await import('./ingest/command.ts')).runRedrive,
  },
  serve: {
    about: "Raise alerts from the champion's scores; serve the page, REST and the WebSocket feed",
    settings: [
      ...LOG_SETTINGS,
      ...(['catalogue', 'httpHost', 'httpPort', 'tokensFile', 'control'] as const),
      ...(['mqttHost', 'mqttPort', 'mqttPassword'] as const),
    ],
    load: async () => (await import('./demo/serve.ts')).runServeCommand,
  },
  alerts: {
    about: 'Print the alerts of a token, as a phone gets them',
    settings: ['url', 'token', 'vin', 'limit', 'follow', 'cursorFile'],
    load: async () => (await import('./alerts/command.ts')).runAlerts,
  },
  'page-link': {
    about: 'Print another link that opens the page signed in, once, in one browser',
    settings: ['url', 'token', 'tokensFile', 'dataDir'],
    load: async () => (await import('./alerts/page-link.ts')).runPageLink,
  },
  token: {
    about: 'Make, list or take away tokens: who may see the alerts of which cars',
    usage: 'add NAME | list | revoke NAME [flags]',
    arguments: 2,
    settings: ['dataDir', 'tokensFile', 'cars', 'control'],
    load: async () => (await import('./alerts/token-command.ts')).runToken,
  },
  simulate: {
    about: 'Drive a fleet of simulated cars, or a recording again, against an MQTT broker',
    settings: [
      'scenario',
      'fleetSize',
      'fleetSeed',
      'start',
      'speed',
      'history',
      'duration',
      'processes',
      'worker',
      'brokers',
      'mqttHost',
      'mqttPort',
      'mqttPassword',
      ...RECORDING_SETTINGS,
      'cars',
      'keepTimes',
      'from',
      'to',
      'catalogue',
      ...LOG_SETTINGS,
      'check',
      'json',
    ],
    load: async () => (await import('./simulator/command.ts')).runSimulate,
  },
  record: {
    about: 'Write a run to CSV: a scenario driven without a network, or a stretch of the log',
    settings: [
      'out',
      'scenario',
      'fleetSize',
      'fleetSeed',
      'start',
      'history',
      'duration',
      'label',
      'from',
      'to',
      'catalogue',
      ...LOG_SETTINGS,
    ],
    load: async () => (await import('./simulator/command.ts')).runRecord,
  },
  train: {
    about: 'Train a model on any stretch of the log and release it, or on a recording (--csv) into a folder',
    settings: [
      ...LOG_SETTINGS,
      ...(['catalogue', 'from', 'to', 'offsets', 'cars'] as const),
      ...RECORDING_SETTINGS,
      'out',
      ...([
        'alertBudget',
        'seed',
        'maxRows',
        'effort',
        'card',
        'promote',
        'note',
        'by',
        'tfBackend',
      ] as const),
    ],
    load: async () => (await import('./training/command.ts')).runTrain,
  },
  score: {
    about: 'Score the stream with champion and challenger, or a recording (--csv) with a model folder',
    settings: [
      ...LOG_SETTINGS,
      ...RECORDING_SETTINGS,
      ...(['catalogue', 'model', 'out', 'metricsPort', 'tfBackend', 'stateBytes'] as const),
    ],
    load: async () => (await import('./scoring/command.ts')).runScore,
  },
  reprocess: {
    about: 'Score the whole log with a model into its own topic, beside the others, then end',
    usage: 'MODEL [flags]',
    settings: [...LOG_SETTINGS, 'catalogue', 'model', 'tfBackend', 'stateBytes', 'full'],
    load: async () => (await import('./scoring/command.ts')).runReprocess,
  },
  models: {
    about: 'List the released models, champion and challenger',
    settings: [...LOG_SETTINGS, 'catalogue'],
    load: async () => (await import('./training/command.ts')).runModels,
  },
  promote: {
    about: 'Make a released model champion; the champion before goes on as challenger',
    usage: 'MODEL [flags]',
    settings: [...LOG_SETTINGS, 'catalogue', 'model', 'note', 'by'],
    load: async () => (await import('./training/command.ts')).runPromote,
  },
  rollback: {
    about: 'Put the champion before the present one back in charge',
    settings: [...LOG_SETTINGS, 'catalogue', 'note', 'by'],
    load: async () => (await import('./training/command.ts')).runRollback,
  },
  drop: {
    about: "Delete a model's scores and states; its release stays",
    usage: 'MODEL [flags]',
    settings: [...LOG_SETTINGS, 'model'],
    load: async () => (await import('./training/command.ts')).runDrop,
  },
};

function help(): string {
  const rows = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(14)}${about}`);
  return [
    'Usage: telltale <command> [flags]',
    '',
    ...rows,
    '',
    'telltale <command> --help lists the flags of a command.',
  ].join('\n');
}

function commandHelp(name: string, command: Command): string {
  return [
    `Usage: telltale ${name} ${command.usage ?? '[flags]'}`,
    '',
    command.about,
    '',
    describeSettings(command.settings),
  ].join('\n');
}

/** The first Ctrl-C asks everything to stop in order; the second ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(help());
    return name === undefined ? 2 : 0;
  }
  const command = COMMANDS[name];
  if (!command) {
    console.error(`telltale: no command "${name}"${didYouMean(name, Object.keys(COMMANDS))}\n\n${help()}`);
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    console.log(commandHelp(name, command));
    return 0;
  }
  const { settings, positionals } = readConfig(command.settings, rest);
  const extra = positionals.slice(command.arguments ?? (command.usage === undefined ? 0 : 1));
  if (extra.length > 0)
    throw new TelltaleError('CONFIG_INVALID', `${extra.join(' ')}: ${name} takes no such argument`);
  const context: Context = {
    signal: stopSignal(),
    clock: Date.now,
    metrics: new Metrics(),
    say: (line) => console.log(printableLine(line)),
    warn: (line) => console.error(printableLine(line)),
  };
  const run = await command.load();
  await run(settings, context, positionals);
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error(errorText(error) ?? error);
    process.exitCode = 1;
  }
}
