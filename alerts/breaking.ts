// Breaking and repairing simulated cars from outside: who may, which cars there are, and what each of them can have. An order
// that no car could obey is refused here, because on MQTT nobody answers.
import type { FastifyInstance } from 'fastify';
import { didYouMean } from '../core/did-you-mean.ts';
import { FleetCommand } from '../core/events.ts';
import { HttpError } from './http.ts';
import type { RouteOptions } from './route-options.ts';
import { type Grant, grants } from './tokens.ts';

/** Names that a misspelled one is compared with at most. */
const NEAR = 1000;
/** A hundred thousand VINs of the longest kind. */
const MAX_COMMAND_BYTES = 8 * 1024 * 1024;

function checkCars({ view }: RouteOptions, grant: Grant, vins: readonly string[]): void {
  if (!view.ready)
    throw new HttpError('NOT_READY', 'no model yet: no car is known before the first one has been scored');
  const unknown = vins.filter((vin) => !view.knows(grant, vin));
  const [first] = unknown;
  if (first === undefined) return;
  const more = unknown.length > 1 ? `, nor ${unknown.length - 1} more of them` : '';
  throw new HttpError('UNKNOWN_CAR', `no car ${first}${more}${didYouMean(first, view.names(grant, NEAR))}`);
}

function checkFault({ view, faults = [] }: RouteOptions, { vins, action, fault }: FleetCommand): void {
  const names = faults.map(({ name }) => name);
  if (fault === undefined) {
    if (action !== 'break') return;
    throw new HttpError('UNKNOWN_FAULT', `break needs a fault: ${names.join(', ')}`);
  }
  if (!names.includes(fault))
    throw new HttpError(
      'UNKNOWN_FAULT',
      `no fault ${fault}${didYouMean(fault, names)}; there are ${names.join(', ')}`,
    );
  if (action !== 'break') return;
  const unfit = vins.find((vin) => !view.faultsOf(vin).includes(fault));
  if (unfit !== undefined)
    throw new HttpError(
      'UNKNOWN_FAULT',
      `${unfit} cannot have ${fault}; it can have ${view.faultsOf(unfit).join(', ')}`,
    );
}

export function addBreaking(app: FastifyInstance, options: RouteOptions): void {
  const { visitors, fleetControl, clock } = options;
  app.post<{ Body: FleetCommand }>(
    '/api/fleet/commands',
    { schema: { body: FleetCommand }, bodyLimit: MAX_COMMAND_BYTES },
    async (request, reply) => {
      const grant = visitors.grantOf(request);
      if (!fleetControl)
        throw new HttpError('NOT_FOUND', 'this fleet is not simulated: nothing to break here');
      if (!grant.control) throw new HttpError('FORBIDDEN', 'this token may not break or repair cars');
      const foreign = request.body.vins.find((vin) => !grants(grant, vin));
      if (foreign !== undefined) throw new HttpError('FORBIDDEN', `this token may not see ${foreign}`);
      checkCars(options, grant, request.body.vins);
      checkFault(options, request.body);
      await fleetControl(request.body);
      return reply.status(202).send({ acceptedTs: clock() });
    },
  );
}
