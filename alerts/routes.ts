// The REST interface: what a person or an app asks for. Every route wants a bearer token and shows its cars only.
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { Vin } from '../core/events.ts';
import { pause } from '../core/service.ts';
import { addBreaking } from './breaking.ts';
import { namesOf } from './car-filter.ts';
import { HttpError } from './http.ts';
import { streamLive } from './live.ts';
import type { RouteOptions } from './route-options.ts';
import { addSignIn, LOGIN_PATH } from './sign-in-routes.ts';
import { tally } from './tally.ts';
import { grants } from './tokens.ts';
import type { AlertList, Car, Fleet, FoundCars, Session } from './wire.ts';

const Count = (fallback: number, most: number) =>
  Type.Integer({ minimum: 1, maximum: most, default: fallback });

const Ts = Type.Integer({ minimum: 0 });

const FleetQuery = Type.Object({
  offset: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
  limit: Count(100, 1000),
});

const FindQuery = Type.Object({
  find: Type.String({ minLength: 1, maxLength: 64 }),
  limit: Count(20, 100),
});

const CarParams = Type.Object({ vin: Vin });

const CarQuery = Type.Object({ after: Type.Integer({ minimum: 0, default: 0 }) });

const AlertsQuery = Type.Object({
  vin: Type.Optional(Vin),
  from: Type.Optional(Ts),
  before: Type.Optional(Ts),
  state: Type.Optional(Type.Enum(['open', 'cleared'])),
  offset: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
  limit: Count(100, 1000),
});

const AlertParams = Type.Object({ alertId: Type.String({ minLength: 1, maxLength: 256 }) });

const LiveQuery = Type.Object({ vin: Type.Optional(Vin), limit: Count(240, 1000) });

/** Open pages on one server; each costs a picture a second. */
const MAX_LIVE_STREAMS = 500;

/** … and of one token, so that nobody takes all of them. */
const MAX_LIVE_STREAMS_PER_TOKEN = 16;

/** How long a request waits for a server that has just started and still reads which alerts are open. */
const SETTLE_MS = 10_000;

/** Which alerts are open is known only when the log has been read: before, every answer would be a guess. */
async function settled({ view, tail, signal }: RouteOptions): Promise<void> {
  if (view.settled) return;
  const over = new AbortController();
  await Promise.race([tail.ready, pause(SETTLE_MS, AbortSignal.any([signal, over.signal]))]);
  over.abort();
  if (!view.settled)
    throw new HttpError('NOT_READY', 'the alerts in the log are still being read; ask again');
}

export function addRoutes(app: FastifyInstance, options: RouteOptions): void {
  const { visitors, view, acknowledge, fleetControl } = options;

  // Who asks is known before a byte of a body is read.
  app.addHook('onRequest', async (request) => {
    const route = request.routeOptions.url ?? '';
    if (route.startsWith('/api/') && route !== LOGIN_PATH) visitors.who(request);
  });
  addSignIn(app, options);
  addLive(app, options);
  addBreaking(app, options);

  app.get('/api/session', (request): Session => {
    const grant = visitors.grantOf(request);
    const mayControl = fleetControl !== undefined && grant.control;
    return {
      name: grant.name,
      cars: namesOf(grant, 1000),
      faults: mayControl ? [...(options.faults ?? [])] : null,
    };
  });

  app.get<{ Querystring: Static<typeof FleetQuery> }>(
    '/api/fleet',
    { schema: { querystring: FleetQuery } },
    async (request): Promise<Fleet> => {
      const grant = visitors.grantOf(request);
      await settled(options);
      return view.fleet(grant, request.query.offset, request.query.limit);
    },
  );

  app.get<{ Querystring: Static<typeof FindQuery> }>(
    '/api/cars',
    { schema: { querystring: FindQuery } },
    async (request): Promise<FoundCars> => {
      const grant = visitors.grantOf(request);
      await settled(options);
      return view.find(grant, request.query.find, request.query.limit);
    },
  );

  app.get<{ Params: Static<typeof CarParams>; Querystring: Static<typeof CarQuery> }>(
    '/api/cars/:vin',
    { schema: { params: CarParams, querystring: CarQuery } },
    async (request): Promise<Car> => {
      const grant = visitors.grantOf(request);
      await settled(options);
      const car = view.car(grant, request.params.vin, request.query.after);
      if (!car) throw new HttpError('NOT_FOUND', `no car ${request.params.vin} that this token may see`);
      return car;
    },
  );

  app.get<{ Querystring: Static<typeof AlertsQuery> }>(
    '/api/alerts',
    { schema: { querystring: AlertsQuery } },
    async (request): Promise<AlertList> => {
      const grant = visitors.grantOf(request);
      await settled(options);
      const { vin, from, before, state, offset, limit } = request.query;
      const { index } = options.tail;
      const { total, alerts } = index.list({
        sees: (other) => (vin === undefined || other === vin) && grants(grant, other),
        ...(from === undefined ? {} : { fromTs: from }),
        ...(before === undefined ? {} : { beforeTs: before }),
        ...(state === undefined ? {} : { state }),
        ...{ offset, limit },
      });
      return { stream: options.stream.of(grant), total, open: index.openCountOf(grant), alerts };
    },
  );

  app.post<{ Params: Static<typeof AlertParams> }>(
    '/api/alerts/:alertId/ack',
    { schema: { params: AlertParams } },
    async (request, reply) => {
      const { alertId } = request.params;
      const grant = visitors.grantOf(request);
      await settled(options);
      if (!(await acknowledge(alertId, grant)))
        throw new HttpError('NOT_FOUND', `no alert ${alertId} that this token may see`);
      return reply.status(204).send();
    },
  );
}

function addLive(app: FastifyInstance, options: RouteOptions): void {
  const { visitors, view, liveMs: everyMs, signal } = options;
  const perToken = new Map<string, number>();
  let streams = 0;
  app.get<{ Querystring: Static<typeof LiveQuery> }>(
    '/api/live',
    { schema: { querystring: LiveQuery } },
    async (request, reply) => {
      const { token } = visitors.who(request);
      await settled(options);
      const { vin, limit } = request.query;
      const own = perToken.get(token) ?? 0;
      if (own >= MAX_LIVE_STREAMS_PER_TOKEN)
        throw new HttpError('TOO_MANY', `this token has ${own} live streams open; close one`);
      if (streams >= MAX_LIVE_STREAMS)
        throw new HttpError('NOT_READY', 'too many live streams on this server');
      reply.hijack();
      streams += 1;
      tally(perToken, token, 1);
      const grant = () => visitors.whoOrNone(request)?.grant ?? null;
      try {
        await streamLive(reply.raw, { view, vin, limit, everyMs, signal, grant });
      } finally {
        streams -= 1;
        tally(perToken, token, -1);
      }
    },
  );
}
