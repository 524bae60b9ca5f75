// The REST interface: what a person or an app asks for. Every route wants a bearer token and shows its cars only.
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { FleetCommand, Vin } from '../core/events.ts';
import type { Clock } from '../core/service.ts';
import type { AlertIndex } from './alert-index.ts';
import type { FleetView } from './fleet-view.ts';
import { grantOf, grantOrNone, HttpError } from './http.ts';
import { streamLive } from './live.ts';
import { type Grant, grants, type TokenStore } from './tokens.ts';

/** Sends an order to the simulated fleet. */
export type FleetControl = (command: FleetCommand) => Promise<void>;

/** A fault that the page may cause. */
export interface FaultChoice {
  readonly name: string;
  readonly label: string;
  /** Signals it moves: offered for cars that measure one of them. Empty: for every car. */
  readonly moves: readonly string[];
}

export interface RouteOptions {
  readonly tokens: TokenStore;
  readonly view: FleetView;
  readonly index: AlertIndex;
  readonly clock: Clock;
  readonly acknowledge: (alertId: string, grant: Grant) => Promise<boolean>;
  readonly signal: AbortSignal;
  /** Absent: there is nothing to break, and the page has no button. */
  readonly fleetControl?: FleetControl | undefined;
  readonly faults?: readonly FaultChoice[] | undefined;
  /** Time between two pictures of the live stream. */
  readonly liveMs: number;
}

const Count = (fallback: number, most: number) =>
  Type.Integer({ minimum: 1, maximum: most, default: fallback });
const Ts = Type.Integer({ minimum: 0 });

const FleetQuery = Type.Object({
  offset: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
  limit: Count(100, 1000),
});
const CarParams = Type.Object({ vin: Vin });
const CarQuery = Type.Object({ after: Type.Integer({ minimum: 0, default: 0 }) });
const AlertsQuery = Type.Object({
  vin: Type.Optional(Vin),
  from: Type.Optional(Ts),
  before: Type.Optional(Ts),
  state: Type.Optional(Type.Enum(['open', 'cleared'])),
  limit: Count(100, 1000),
});
const AlertParams = Type.Object({ alertId: Type.String({ minLength: 1, maxLength: 256 }) });
const LiveQuery = Type.Object({ vin: Type.Optional(Vin), limit: Count(240, 1000) });

/** Open pages on one server; each costs a picture a second. */
const MAX_LIVE_STREAMS = 500;

export function addRoutes(app: FastifyInstance, options: RouteOptions): void {
  const { tokens, view, index, acknowledge, fleetControl } = options;
  let streams = 0;

  app.get('/api/session', (request) => {
    const grant = grantOf(tokens, request);
    const mayControl = fleetControl !== undefined && grant.control;
    return {
      name: grant.name,
      cars: grant.vins === null ? null : [...grant.vins].slice(0, 1000),
      faults: mayControl ? (options.faults ?? []) : null,
    };
  });

  app.get<{ Querystring: Static<typeof FleetQuery> }>(
    '/api/fleet',
    { schema: { querystring: FleetQuery } },
    (request) => view.fleet(grantOf(tokens, request), request.query.offset, request.query.limit),
  );

  app.get<{ Params: Static<typeof CarParams>; Querystring: Static<typeof CarQuery> }>(
    '/api/cars/:vin',
    { schema: { params: CarParams, querystring: CarQuery } },
    (request) => {
      const car = view.car(grantOf(tokens, request), request.params.vin, request.query.after);
      if (!car) throw new HttpError('NOT_FOUND', `no car ${request.params.vin} that this token may see`);
      return car;
    },
  );

  app.get<{ Querystring: Static<typeof AlertsQuery> }>(
    '/api/alerts',
    { schema: { querystring: AlertsQuery } },
    (request) => {
      const grant = grantOf(tokens, request);
      const { vin, from, before, state, limit } = request.query;
      const alerts = index.list({
        sees: (other) => (vin === undefined || other === vin) && grants(grant, other),
        ...(from === undefined ? {} : { fromTs: from }),
        ...(before === undefined ? {} : { beforeTs: before }),
        ...(state === undefined ? {} : { state }),
        limit,
      });
      return { alerts };
    },
  );

  app.post<{ Params: Static<typeof AlertParams> }>(
    '/api/alerts/:alertId/ack',
    { schema: { params: AlertParams } },
    async (request, reply) => {
      const { alertId } = request.params;
      if (!(await acknowledge(alertId, grantOf(tokens, request))))
        throw new HttpError('NOT_FOUND', `no alert ${alertId} that this token may see`);
      return reply.status(204).send();
    },
  );

  app.get<{ Querystring: Static<typeof LiveQuery> }>(
    '/api/live',
    { schema: { querystring: LiveQuery } },
    async (request, reply) => {
      grantOf(tokens, request);
      const { vin, limit } = request.query;
      if (streams >= MAX_LIVE_STREAMS)
        throw new HttpError('NOT_READY', 'too many live streams on this server');
      reply.hijack();
      streams += 1;
      try {
        await streamLive(reply.raw, {
          ...{ view, vin, limit, everyMs: options.liveMs, signal: options.signal },
          grant: () => grantOrNone(tokens, request),
        });
      } finally {
        streams -= 1;
      }
    },
  );

  addControl(app, options);
}

function addControl(app: FastifyInstance, { tokens, fleetControl, clock }: RouteOptions): void {
  app.post<{ Body: FleetCommand }>(
    '/api/fleet/commands',
    { schema: { body: FleetCommand } },
    async (request, reply) => {
      const grant = grantOf(tokens, request);
      if (!fleetControl)
        throw new HttpError('NOT_FOUND', 'this fleet is not simulated: nothing to break here');
      if (!grant.control) throw new HttpError('FORBIDDEN', 'this token may not break or repair cars');
      const foreign = request.body.vins.find((vin) => !grants(grant, vin));
      if (foreign !== undefined) throw new HttpError('FORBIDDEN', `this token may not see ${foreign}`);
      await fleetControl(request.body);
      return reply.status(202).send({ acceptedTs: clock() });
    },
  );
}
