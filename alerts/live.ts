// The page's live stream: one server-sent event a second with the fleet at a glance and the watched car's new samples. It is
// a picture of now, not a delivery: a reader that is slow gets fewer pictures. Alerts come by the feed, which loses none.
import type { ServerResponse } from 'node:http';
import { pause } from '../core/service.ts';
import type { FleetView } from './fleet-view.ts';
import type { Grant } from './tokens.ts';
import type { Frame } from './wire.ts';

export interface LiveOptions {
  readonly view: FleetView;
  /** Asked for each picture: a token may be taken away meanwhile, which ends the stream. */
  readonly grant: () => Grant | null;
  readonly vin: string | undefined;
  readonly limit: number;
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** Streams until the reader leaves, the token is taken away, or the server stops. */
export async function streamLive(response: ServerResponse, options: LiveOptions): Promise<void> {
  const { view, vin, limit, everyMs, signal } = options;
  const gone = new AbortController();
  const stop = AbortSignal.any([gone.signal, signal]);
  response.once('close', () => gone.abort());
  response.on('error', () => gone.abort());
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'access-control-allow-origin': '*',
  });
  let afterMs = 0;
  while (!stop.aborted) {
    const grant = options.grant();
    if (!grant) break;
    if (!response.writableNeedDrain) {
      const car = vin === undefined ? null : view.car(grant, vin, afterMs);
      afterMs = car?.history.ts.at(-1) ?? afterMs;
      const frame: Frame = { fleet: view.fleet(grant, 0, limit), car };
      response.write(`data: ${JSON.stringify(frame)}\n\n`);
    }
    await pause(everyMs, stop);
  }
  response.end();
}
