// A phone for tests: a bare WebSocket whose messages are awaited one by one, with nothing of the real client's resilience, so
// that what the feed itself does can be seen.
import { WebSocket } from 'ws';
import type { ServerMessage } from '../../alerts/feed-protocol.ts';
import type { Alert } from '../../core/events.ts';

export interface PhoneOptions {
  readonly url: string;
  readonly token?: string;
  readonly cursor?: string;
  readonly vins?: readonly string[];
  /** Answer pings? Default true. */
  readonly alive?: boolean;
}

export class Phone {
  readonly socket: WebSocket;
  readonly messages: ServerMessage[] = [];
  readonly #over = Promise.withResolvers<void>();
  readonly #waiting = new Set<() => void>();
  closed: { code: number; reason: string } | null = null;

  constructor({ url, token, cursor, vins = [], alive = true }: PhoneOptions) {
    const query = new URLSearchParams();
    if (cursor !== undefined) query.set('cursor', cursor);
    for (const vin of vins) query.append('vin', vin);
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/feed?${query}`, { headers, autoPong: alive });
    this.socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as ServerMessage;
      this.messages.push(message);
      if (alive && message.type === 'ping') this.socket.send('{"type":"pong"}');
      for (const look of [...this.#waiting]) look();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#over.resolve();
      for (const look of [...this.#waiting]) look();
    });
    this.socket.on('error', () => undefined);
  }

  /** Resolves with what `find` finds in the messages, looked at after each new one. */
  until<T>(find: (messages: readonly ServerMessage[]) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find(this.messages);
        if (found === undefined && this.closed === null) return;
        this.#waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`closed with ${this.closed?.code}: ${this.closed?.reason}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  message<K extends ServerMessage['type']>(type: K): Promise<Extract<ServerMessage, { type: K }>> {
    return this.until((messages) =>
      messages.find((message): message is Extract<ServerMessage, { type: K }> => message.type === type),
    );
  }

  get alerts(): Alert[] {
    return this.messages.flatMap((message) => (message.type === 'alert' ? [message.alert] : []));
  }

  /** Resolves with the first `n` alerts. */
  received(n: number): Promise<Alert[]> {
    return this.until(() => (this.alerts.length >= n ? this.alerts : undefined));
  }

  /** The cursor of the newest message that carries one. */
  get cursor(): string {
    const last = this.messages.findLast((message) => 'cursor' in message);
    if (!last || !('cursor' in last)) throw new Error('no cursor yet');
    return last.cursor;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Resolves with the close code. */
  async ended(): Promise<number> {
    await this.#over.promise;
    return this.closed?.code ?? 0;
  }

  /** As a phone in a tunnel: the connection is gone without a word. */
  async vanish(): Promise<void> {
    this.socket.terminate();
    await this.ended();
  }
}
