// A small scenario and a bare MQTT broker for the simulator's tests. The broker is a TCP server that speaks just the
// packets the cars use and lets a test decide when, and whether, an event is acknowledged.
import { createServer, type Socket } from 'node:net';
import { type Packet, parser } from 'mqtt-packet';
import { telemetryTopic } from '../../core/topics.ts';
import { Fleet, type FleetRange } from '../../simulator/fleet.ts';
import { type FleetOptions, startFleet } from '../../simulator/run.ts';
import { completeScenario, type Scenario } from '../../simulator/scenario.ts';
import type { ScenarioFile } from '../../simulator/scenario-schema.ts';
import { Script } from '../../simulator/script.ts';
import { zeroCounts } from '../../simulator/stats.ts';
import { Telemeter } from '../../simulator/telemeter.ts';

export const START_MS = Date.UTC(2026, 3, 14, 9);

export function scenarioWith(changes: Partial<ScenarioFile> = {}): Scenario {
  return completeScenario({
    name: 'test',
    seed: 5,
    cars: 12,
    fleets: [{ name: 'all', share: 1, models: { compact: 2, suv: 1, 'ev-compact': 1 }, coldStartPct: 0 }],
    ...changes,
  });
}

/** A fleet with its script and its telemeter, as a run has them. */
export function rig(scenario: Scenario, range?: FleetRange, startMs: number = START_MS) {
  const fleet = new Fleet(scenario, startMs, range);
  const script = new Script(fleet, startMs);
  const counts = zeroCounts();
  const telemeter = new Telemeter(fleet, script, counts);
  /** Drives a second; returns each car's packets. */
  const second = (): Buffer[][] => {
    fleet.step();
    script.apply();
    return fleet.cars.map((_, car) => (telemeter.due(car) ? telemeter.packets(car) : []));
  };
  return { fleet, script, counts, telemeter, second };
}

export interface Received {
  readonly client: string;
  readonly topic: string;
  readonly payload: string;
  readonly id: number;
  readonly dup: boolean;
}

export interface TestBroker {
  readonly port: number;
  readonly received: Received[];
  /** Connections made so far, by client id. */
  readonly connects: string[];
  /** Whether a PUBLISH is acknowledged; may cut the connection instead. */
  onPublish: (event: Received, answer: { ack(): void; cut(): void }) => void;
  /** When a CONNECT is answered. */
  onConnect: (welcome: () => void) => void;
  /** Return code for CONNECT; 0 accepts. */
  connectCode: number;
  /** Resolves when `met` holds after some packet. */
  until(met: () => boolean): Promise<void>;
  cutAll(): void;
  close(): Promise<void>;
}

export async function startTestBroker(): Promise<TestBroker> {
  const sockets = new Set<Socket>();
  let waiting: { met: () => boolean; resolve: () => void }[] = [];
  const wake = () => {
    for (const waiter of waiting.filter((w) => w.met())) {
      waiting = waiting.filter((w) => w !== waiter);
      waiter.resolve();
    }
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    let client = '';
    const packets = parser();
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => packets.parse(chunk));
    packets.on('packet', (packet: Packet) => {
      if (packet.cmd === 'connect') {
        client = packet.clientId;
        broker.connects.push(client);
        broker.onConnect(() => socket.write(Buffer.from([0x20, 2, 0, broker.connectCode])));
      } else if (packet.cmd === 'publish') {
        const event = {
          client,
          topic: packet.topic,
          payload: packet.payload.toString(),
          id: packet.messageId ?? 0,
          dup: packet.dup,
        };
        broker.received.push(event);
        broker.onPublish(event, {
          ack: () => socket.write(Buffer.from([0x40, 2, event.id >> 8, event.id & 255])),
          cut: () => socket.destroy(),
        });
      }
      wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const broker: TestBroker = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    received: [],
    connects: [],
    onConnect: (welcome) => welcome(),
    connectCode: 0,
    onPublish: (_event, answer) => answer.ack(),
    until: (met) => {
      if (met()) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ met, resolve }));
    },
    cutAll: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return broker;
}

const closers: (() => Promise<void>)[] = [];

/** Closes what `brokerOf` and `fleetTo` opened, last first; for afterEach. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export async function brokerOf(): Promise<TestBroker> {
  const broker = await startTestBroker();
  closers.push(broker.close);
  return broker;
}

export function fleetTo(broker: TestBroker, scenario: Scenario, more: Partial<FleetOptions> = {}) {
  const warnings: string[] = [];
  const fleet = startFleet({
    scenario,
    brokers: [{ host: '127.0.0.1', port: broker.port }],
    clock: Date.now,
    warn: (line) => warnings.push(line),
    ...more,
  });
  closers.push(() => fleet.stop());
  return { fleet, warnings };
}

/** A minute of the small scenario, as fast as the broker takes it. */
export const fast = (changes: Partial<ScenarioFile> = {}) =>
  scenarioWith({ start: new Date(START_MS).toISOString(), duration: '60s', speed: 'max', ...changes });

export const telemetry = (broker: TestBroker) =>
  broker.received.filter((r) => r.topic.endsWith('/telemetry'));

export const decode = (r: Received) => telemetryTopic.decode(Buffer.from(r.payload));
