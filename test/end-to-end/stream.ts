// The whole stream in the processes an operator runs: ingest, train, score, serve, each of its own; a fleet in this one.
// A car is broken; its alert must reach a WebSocket client that may see the car, with the right signal, and nobody else.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Alert, followAlerts } from '../../alerts/page/phone-client.js';
import { carToken, readTokens } from '../../alerts/tokens.ts';
import { connectFleetControl, followCommands } from '../../simulator/control.ts';
import { startFleet } from '../../simulator/run.ts';
import { completeScenario, DEMO_SCENARIO } from '../../simulator/scenario.ts';
import { type Program, start } from './processes.ts';

const CARS = 60;

/** Whom a phone heard of, and a wait for the first that fits. */
function phone(url: string, token: string) {
  const alerts: Alert[] = [];
  const waiting: { fits: (alert: Alert) => boolean; resolve: (alert: Alert) => void }[] = [];
  const link = followAlerts({
    url,
    token,
    onAlert: (alert) => {
      alerts.push(alert);
      for (const { fits, resolve } of waiting) if (fits(alert)) resolve(alert);
    },
  });
  const first = (fits: (alert: Alert) => boolean, limitMs: number) =>
    new Promise<Alert>((resolve, reject) => {
      const known = alerts.find(fits);
      if (known) resolve(known);
      else waiting.push({ fits, resolve });
      const heard = () => alerts.map(({ vin, phase, reason }) => `${vin} ${phase} ${reason}`).join('\n');
      setTimeout(
        () => reject(new Error(`no such alert within ${limitMs} ms; heard:\n${heard()}`)),
        limitMs,
      ).unref();
    });
  return { alerts, first, close: () => link.close() };
}

type Undo = (() => Promise<unknown> | undefined)[];

function run(args: readonly string[], env: Readonly<Record<string, string>>, undo: Undo): Program {
  const program = start(args, env);
  undo.unshift(() => {
    program.kill();
    return program.exited;
  });
  return program;
}

/** Ingest in its process, a fleet in this one: the first history goes through MQTT. */
async function drive(env: Readonly<Record<string, string>>, undo: Undo) {
  const ingest = run(['ingest', '--mqtt-port', '0'], env, undo);
  const mqttPort = Number((await ingest.line(/MQTT on 127\.0\.0\.1:(\d+)/))[1]);
  const fleet = startFleet({
    scenario: completeScenario({ ...DEMO_SCENARIO, cars: CARS, history: '12m' }),
    brokers: [{ host: '127.0.0.1', port: mqttPort }],
    clock: Date.now,
    warn: (line) => console.warn(line),
  });
  undo.unshift(() => fleet.stop());
  const broker = { host: '127.0.0.1', port: mqttPort, name: 'end-to-end' };
  const control = await connectFleetControl(broker);
  undo.unshift(() => control.close());
  const obeying = await followCommands({ ...broker, warn: console.warn }, (order) => fleet.command(order));
  undo.unshift(() => obeying.close());
  await fleet.caughtUp;
  return { ingest, fleet, control };
}

async function scene(env: Readonly<Record<string, string>>, undo: Undo): Promise<void> {
  const { ingest, fleet, control } = await drive(env, undo);
  const train = run(['train', '--effort', 'quick'], env, undo);
  await train.line(/^released \S+ as champion$/);
  expect(await train.exited).toBe(0);
  const score = run(['score'], env, undo);
  const serve = run(['serve', '--http-port', '0'], env, undo);
  await score.line(/scorer \S+: started/);
  const url = (await serve.line(/feed on (http:\S+);/))[1]!;
  const secret = readTokens(join(env.TELLTALE_DATA_DIR!, 'tokens.json')).carSecret!;
  const [broken, other] = fleet.carsOf('combustion');
  const owner = phone(url, carToken(secret, broken!));
  const neighbour = phone(url, carToken(secret, other!));
  await control.send({ vins: [broken!], action: 'break', fault: 'tyre-blow-out', severity: 1 });
  const named = ({ phase, top }: Alert) => phase === 'raised' && /^tyre/.test(top[0]?.signal ?? '');
  const alert = await owner.first(named, 600_000);
  expect(alert.vin).toBe(broken);
  expect(alert.reason).toMatch(/tyre pressure too low: \d+ kPa, expected about \d+ kPa/);
  expect(owner.alerts.every(({ vin }) => vin === broken)).toBe(true);
  expect(neighbour.alerts.filter(({ vin }) => vin !== other)).toEqual([]);
  owner.close();
  neighbour.close();
  expect(await Promise.all([score.interrupt(), serve.interrupt()])).toEqual([0, 0]);
  await fleet.stop();
  expect(await ingest.interrupt()).toBe(0);
}

/** Runs the scene. `where`: the environment that names the log. */
export async function alertReachesThePhone(where: Readonly<Record<string, string>>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'telltale-end-to-end-'));
  const undo: Undo = [];
  try {
    await scene({ TELLTALE_DATA_DIR: dir, ...where }, undo);
  } finally {
    for (const step of undo) await step();
    await rm(dir, { recursive: true, force: true });
  }
}
