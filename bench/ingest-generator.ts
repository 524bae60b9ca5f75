// A lean fleet for measuring ingest: raw sockets and PUBLISH packets encoded beforehand, so that the broker and not the
// generator is what is measured. A process of its own, run by bench/ingest.ts and bench/soak.ts; it prints one JSON line.
import { connect, type Socket } from 'node:net';
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../core/catalogue.ts';
import { mqttTopics } from '../core/topics.ts';
import { argument } from './support.ts';

/** One packet in so many is timed, the cars taking turns. */
const SAMPLE_EVERY = 50;
/** How long the last acknowledgements are waited for. */
const FINISH_MS = 5000;
const DISCONNECT = Buffer.from([0xe0, 0]);
/** Digits of the packet's `seq`; they are overwritten in place. */
const SEQ_DIGITS = 12;

export interface GeneratorReport {
  readonly acked: number;
  readonly seconds: number;
  readonly payloadBytes: number;
  /** PUBLISH to PUBACK, ms: a uniform sample of the packets that were timed. */
  readonly latenciesMs: readonly number[];
  /** CPU time of the generator per second. */
  readonly cpuShare: number;
  readonly lost: number;
}

function connectPacket(clientId: string): Buffer {
  const id = Buffer.from(clientId);
  const head = Buffer.from([0x10, 12 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, id.length]);
  return Buffer.concat([head, id]);
}

/** A QoS 1 PUBLISH and where in it the packet id and the digits of `seq` stand. */
function publishPacket(vin: string, signals: Readonly<Record<string, number>>) {
  const topic = Buffer.from(mqttTopics.telemetry(vin));
  const seqMark = '9'.repeat(SEQ_DIGITS);
  const payload = Buffer.from(JSON.stringify({ vin, seq: Number(seqMark), ts: Date.now(), signals }));
  const length = 2 + topic.length + 2 + payload.length;
  const head = Buffer.from([0x32, (length % 128) | 0x80, Math.floor(length / 128), 0, topic.length]);
  const bytes = Buffer.concat([head, topic, Buffer.alloc(2), payload]);
  return {
    bytes,
    idAt: head.length + topic.length,
    seqAt: bytes.indexOf(seqMark),
    payloadBytes: payload.length,
  };
}

const MAX_LATENCIES = 5000;

interface Run {
  acked: number;
  timed: number;
  lost: number;
  running: boolean;
  readonly latenciesMs: number[];
}

/** Reservoir sampling (Vitter's algorithm R): each latency stays with the same probability. */
function keep(run: Run, latencyMs: number): void {
  run.timed += 1;
  if (run.latenciesMs.length < MAX_LATENCIES) run.latenciesMs.push(latencyMs);
  else {
    const at = Math.floor(Math.random() * run.timed);
    if (at < MAX_LATENCIES) run.latenciesMs[at] = latencyMs;
  }
}

class Car {
  readonly #packet: ReturnType<typeof publishPacket>;
  readonly #socket: Socket;
  readonly #run: Run;
  readonly #window: number;
  /** Cars paced by a timer send when told; the others refill their window when acknowledged. */
  readonly #paced: boolean;
  readonly #phase: number;
  #seq = 1e11;
  #id = 0;
  #inFlight = 0;
  #sampleId = 0;
  #sampleMs = 0;
  #spare = 0;
  #idle: () => void = () => undefined;

  constructor(
    socket: Socket,
    packet: ReturnType<typeof publishPacket>,
    window: number,
    paced: boolean,
    run: Run,
    phase: number,
  ) {
    this.#socket = socket;
    this.#packet = packet;
    this.#window = window;
    this.#paced = paced;
    this.#run = run;
    this.#phase = phase;
    socket.on('data', (chunk) => this.#onAcks(chunk));
    socket.on('close', () => {
      run.lost += this.#inFlight;
      this.#idle();
    });
    socket.on('error', () => undefined);
  }

  /** Not acknowledged while the connection stands. */
  get inFlight(): number {
    return this.#socket.destroyed ? 0 : this.#inFlight;
  }

  send(count: number): void {
    const room = Math.min(count, this.#window - this.#inFlight);
    if (room <= 0) return;
    const { bytes, idAt, seqAt } = this.#packet;
    const out = Buffer.allocUnsafe(bytes.length * room);
    for (let i = 0; i < room; i++) {
      const at = i * bytes.length;
      bytes.copy(out, at);
      this.#id = (this.#id % 65_535) + 1;
      this.#seq += 1;
      out.writeUInt16BE(this.#id, at + idAt);
      out.write(String(this.#seq), at + seqAt, SEQ_DIGITS, 'latin1');
      if (this.#sampleId === 0 && (this.#id + this.#phase) % SAMPLE_EVERY === 0) {
        this.#sampleId = this.#id;
        this.#sampleMs = performance.now();
      }
    }
    this.#inFlight += room;
    this.#socket.write(out);
  }

  /** Waits for what is in flight, then says goodbye. */
  async finish(): Promise<void> {
    if (this.#inFlight > 0 && !this.#socket.destroyed)
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    this.#socket.end(DISCONNECT);
  }

  #onAcks(chunk: Buffer): void {
    const total = this.#spare + chunk.length;
    const acks = Math.floor(total / 4);
    if (this.#sampleId !== 0 && this.#spare === 0) {
      for (let at = 2; at + 1 < chunk.length; at += 4) {
        if (chunk.readUInt16BE(at) !== this.#sampleId) continue;
        keep(this.#run, performance.now() - this.#sampleMs);
        this.#sampleId = 0;
        break;
      }
    }
    this.#spare = total % 4;
    this.#inFlight -= acks;
    this.#run.acked += acks;
    if (this.#run.running && !this.#paced) this.send(this.#window);
    if (this.#inFlight === 0) this.#idle();
  }
}

/** Connects one car and waits for its CONNACK. */
function connectCar(host: string, port: number, vin: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => socket.write(connectPacket(vin)));
    socket.once('data', (chunk) => {
      socket.off('error', reject);
      if (chunk[0] === 0x20 && chunk[3] === 0) resolve(socket);
      else reject(new Error(`${vin}: refused, code ${chunk[3]}`));
    });
  });
}

/** Sends `rate` events per second in all, spread over the cars in turn, every 10 ms; returns how to stop. */
function pace(cars: readonly Car[], rate: number): () => void {
  let sent = 0;
  const startedMs = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1000) * rate);
    for (; sent < due; sent++) cars[sent % cars.length]!.send(1);
  }, 10);
  return () => clearInterval(timer);
}

async function main(): Promise<void> {
  const port = argument('port', 1883);
  const connections = argument('connections', 1000);
  const window = argument('window', 1);
  const seconds = argument('seconds', 10);
  const warmupSeconds = argument('warmup', 3);
  const rate = argument('rate', 0);
  const catalogue = await loadCatalogue(CAR_CATALOGUE_FILE);
  const signals = Object.fromEntries(
    catalogue.signals
      .slice(0, argument('signals', 18))
      .map(({ name, min, max }, i) => [name, Number((min + ((max - min) * (i + 3)) / 37).toFixed(2))]),
  );
  const run: Run = { acked: 0, timed: 0, lost: 0, running: true, latenciesMs: [] };
  const cars: Car[] = [];
  let payloadBytes = 0;
  for (let i = 0; i < connections; i++) {
    const vin = `WTTBENCH${String(i).padStart(9, '0')}`;
    const packet = publishPacket(vin, signals);
    payloadBytes = packet.payloadBytes;
    cars.push(new Car(await connectCar('127.0.0.1', port, vin), packet, window, rate > 0, run, i));
  }
  const stopPacing = rate > 0 ? pace(cars, rate) : undefined;
  if (!stopPacing) for (const car of cars) car.send(window);
  await new Promise((resolve) => setTimeout(resolve, warmupSeconds * 1000));
  const before = { acked: run.acked, cpu: process.cpuUsage(), atMs: performance.now() };
  run.latenciesMs.length = 0;
  run.timed = 0;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const elapsed = (performance.now() - before.atMs) / 1000;
  const { user, system } = process.cpuUsage(before.cpu);
  const counted = run.acked - before.acked;
  const latenciesMs = run.latenciesMs.map((ms) => Math.round(ms * 100) / 100);
  run.running = false;
  stopPacing?.();
  await Promise.race([
    Promise.all(cars.map((car) => car.finish())),
    new Promise((resolve) => setTimeout(resolve, FINISH_MS)),
  ]);
  const report: GeneratorReport = {
    acked: counted,
    seconds: elapsed,
    payloadBytes,
    latenciesMs,
    cpuShare: (user + system) / 1e6 / elapsed,
    lost: run.lost + cars.reduce((sum, car) => sum + car.inFlight, 0),
  };
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
}

await main();
