// Live control of a running fleet over MQTT: who sends commands, and who obeys. A command is a FleetCommand on the topic
// `fleet/commands`; only clients whose id begins with `control-` may publish there. MQTT.js serves here: two connections.

import { Ajv } from 'ajv';
import { connect, connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { counted } from '../core/counted.ts';
import { messageOf, TelltaleError } from '../core/errors.ts';
import { FleetCommand } from '../core/events.ts';
import { printable } from '../core/printable.ts';
import { mqttTopics } from '../core/topics.ts';
import type { Broker } from './link.ts';

export interface ControlOptions extends Broker {
  /** Tells this client's id from others'; default: the process id. */
  readonly name?: string;
  readonly username?: string;
  readonly password?: string;
}

/** A command for more cars goes in several messages: the broker takes no packet over 256 KB. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** How long the broker may take to acknowledge one of them. */
const ACKNOWLEDGE_MS = 15_000;

/** The command as messages of a bounded size, each a command for some of its cars. */
export function* messagesOf(command: FleetCommand): Generator<string> {
  const shellBytes = Buffer.byteLength(JSON.stringify({ ...command, vins: [] }));
  let vins: string[] = [];
  let bytes = shellBytes;
  for (const vin of command.vins) {
    const more = Buffer.byteLength(JSON.stringify(vin)) + 1;
    if (vins.length > 0 && bytes + more > MAX_MESSAGE_BYTES) {
      yield JSON.stringify({ ...command, vins });
      vins = [];
      bytes = shellBytes;
    }
    vins.push(vin);
    bytes += more;
  }
  yield JSON.stringify({ ...command, vins });
}

/**
 * Publishes one message. One that is not acknowledged in time is taken back: MQTT.js would send it again on every connection
 * to come, and one that the broker refuses would end each of them.
 */
function publish(client: MqttClient, message: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let over = false;
    const settle = (error?: Error | null) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      if (error) reject(error);
      else resolve();
    };
    client.publish(mqttTopics.fleetCommands, message, { qos: 1 }, (error) => settle(error));
    const messageId = client.getLastMessageId();
    const timer = setTimeout(() => {
      client.removeOutgoingMessage(messageId);
      settle(new Error(`not acknowledged within ${ACKNOWLEDGE_MS / 1000} s`));
    }, ACKNOWLEDGE_MS);
  });
}

export interface FleetControl {
  /** Resolves when the broker has acknowledged the command for every car. @throws TelltaleError MQTT_UNAVAILABLE */
  send(command: FleetCommand): Promise<void>;
  close(): Promise<void>;
}

const validate = new Ajv({ strict: false }).compile<FleetCommand>(FleetCommand);

const urlOf = ({ host, port }: Broker) => `mqtt://${host}:${port}`;

function clientOptions(options: ControlOptions, role: string): IClientOptions {
  return {
    clientId: `control-${role}-${options.name ?? process.pid}`,
    clean: true,
    reconnectPeriod: 500,
    connectTimeout: 10_000,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
  };
}

async function open(options: ControlOptions): Promise<MqttClient> {
  try {
    return await connectAsync(urlOf(options), clientOptions(options, 'desk'));
  } catch (cause) {
    const where = `control: ${options.host}:${options.port}`;
    throw new TelltaleError('MQTT_UNAVAILABLE', `${where}: ${messageOf(cause)}`, { cause });
  }
}

/** A client that breaks, mends and slows cars. @throws TelltaleError MQTT_UNAVAILABLE */
export async function connectFleetControl(options: ControlOptions): Promise<FleetControl> {
  const client = await open(options);
  client.on('error', () => {});
  return {
    send: async (command) => {
      let messages = 0;
      try {
        for (const message of messagesOf(command)) {
          await publish(client, message);
          messages += 1;
        }
      } catch (cause) {
        const part =
          messages === 0 ? '' : `; ${counted(messages, 'message')} for some of the cars went out before`;
        throw new TelltaleError('MQTT_UNAVAILABLE', `control: ${messageOf(cause)}${part}`, { cause });
      }
    },
    close: () => client.endAsync(),
  };
}

export interface Follower {
  /** Resolves when commands are first heard. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * Hands every valid command on the topic to `obey`; what is no command is told to `warn` and passed over. It connects and
 * reconnects by itself for as long as it takes: the cars' own links report a broker that is away.
 */
export function listenForCommands(
  options: ControlOptions & { readonly warn: (line: string) => void },
  obey: (command: FleetCommand) => void,
): Follower {
  const client = connect(urlOf(options), { ...clientOptions(options, 'fleet'), resubscribe: false });
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  client.on('error', () => {});
  // Subscribed anew on every connection: the broker keeps no session.
  client.on('connect', () => {
    client.subscribe(mqttTopics.fleetCommands, { qos: 1 }, (error) => {
      if (!error) resolve();
    });
  });
  client.on('message', (_topic, payload) => {
    let value: unknown;
    try {
      value = JSON.parse(payload.toString());
    } catch {
      options.warn('simulator: a command that is not JSON was passed over');
      return;
    }
    if (validate(value)) obey(value);
    else
      options.warn(
        `simulator: a command was passed over: ${printable(validate.errors?.[0]?.message ?? 'invalid')}`,
      );
  });
  return { ready, close: () => client.endAsync(true) };
}

/** The same, once the broker has taken the subscription: from here on no command is missed. */
export async function followCommands(...args: Parameters<typeof listenForCommands>): Promise<Follower> {
  const follower = listenForCommands(...args);
  await follower.ready;
  return follower;
}
