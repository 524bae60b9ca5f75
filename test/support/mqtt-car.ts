// A car on a raw socket: every packet it sends and gets is under the test's control (mqtt.js would reconnect, resend and
// queue on its own).
import { connect, type Socket } from 'node:net';
import mqttPacket, {
  type IConnackPacket,
  type IPublishPacket,
  type ISubackPacket,
  type Packet,
} from 'mqtt-packet';

export interface CarOptions {
  readonly port: number;
  readonly id: string;
  readonly password?: string;
}

export class MqttCar {
  readonly id: string;
  /** Packet ids acknowledged (PUBACK), in order. */
  readonly acks: number[] = [];
  readonly received: IPublishPacket[] = [];
  /** CONNACK's return code; -1 until it came. */
  returnCode = -1;
  readonly closed: Promise<void>;
  isClosed = false;
  readonly socket: Socket;
  readonly #packets: Packet[] = [];
  #waiting: (() => void)[] = [];
  #nextId = 0;

  private constructor({ id, port, password }: CarOptions) {
    this.id = id;
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const parser = mqttPacket.parser();
    parser.on('packet', (packet) => this.#onPacket(packet));
    this.socket.on('data', (chunk) => parser.parse(chunk));
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.isClosed = true;
        this.#wake();
        resolve();
      });
    });
    const login = password === undefined ? {} : { username: id, password: Buffer.from(password) };
    this.send({
      cmd: 'connect',
      clientId: id,
      keepalive: 0,
      // A session that would outlive the connection, were it granted; the protocol wants a name for one.
      clean: id === '',
      protocolId: 'MQTT',
      protocolVersion: 4,
      ...login,
    });
  }

  /** Connects; `returnCode` says how it went. */
  static async connect(options: CarOptions): Promise<MqttCar> {
    const car = new MqttCar(options);
    await car.until(() => car.returnCode >= 0 || car.isClosed);
    return car;
  }

  send(...packets: readonly Packet[]): void {
    this.socket.write(Buffer.concat(packets.map((packet) => mqttPacket.generate(packet))));
  }

  /** A PUBLISH packet with the next id, not sent yet. */
  packet(
    topic: string,
    payload: Buffer | string,
    qos: 0 | 1 | 2 = 1,
  ): IPublishPacket & { messageId: number } {
    this.#nextId += 1;
    return { cmd: 'publish', topic, payload, qos, dup: false, retain: false, messageId: this.#nextId };
  }

  /** Publishes and returns the packet id. */
  publish(topic: string, payload: Buffer | string, qos: 0 | 1 | 2 = 1): number {
    const packet = this.packet(topic, payload, qos);
    this.send(packet);
    return packet.messageId;
  }

  /** Resolves when the packet id is acknowledged; rejects when the connection is closed before. */
  async acked(messageId: number): Promise<void> {
    await this.until(() => this.acks.includes(messageId) || this.isClosed);
    if (!this.acks.includes(messageId)) throw new Error(`closed before the PUBACK of ${messageId}`);
  }

  async publishAcked(topic: string, payload: Buffer | string): Promise<void> {
    await this.acked(this.publish(topic, payload));
  }

  /** Codes granted: 128 is a refusal. */
  async subscribe(...topics: readonly string[]): Promise<readonly number[]> {
    const messageId = ++this.#nextId;
    const subscriptions = topics.map((topic) => ({ topic, qos: 1 as const }));
    this.send({ cmd: 'subscribe', messageId, subscriptions });
    const suback = await this.packetOf<ISubackPacket>('suback');
    return suback.granted as number[];
  }

  /** The next packet of this kind that was not asked for before. */
  async packetOf<P extends Packet>(cmd: P['cmd']): Promise<P> {
    const find = () => this.#packets.findIndex((packet) => packet.cmd === cmd);
    await this.until(() => find() >= 0 || this.isClosed);
    const [packet] = this.#packets.splice(find(), 1);
    if (packet?.cmd !== cmd) throw new Error(`closed before a ${cmd}`);
    return packet as P;
  }

  /** Waits, event by event, until the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Breaks the connection off without a DISCONNECT. */
  async drop(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #onPacket(packet: Packet): void {
    if (packet.cmd === 'connack') this.returnCode = (packet as IConnackPacket).returnCode ?? 0;
    else if (packet.cmd === 'puback') this.acks.push(packet.messageId!);
    else if (packet.cmd === 'publish') this.received.push(packet);
    else this.#packets.push(packet);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
