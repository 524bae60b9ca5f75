// How a browser signs in: it comes with the code of a link and leaves with a cookie. Whoever has a token may make such a link.
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { HttpError } from './http.ts';
import type { RouteOptions } from './route-options.ts';

/** The one route below /api/ that is for those who are nobody yet. */
export const LOGIN_PATH = '/api/login';

const Login = Type.Object({ once: Type.String({ maxLength: 64 }) }, { additionalProperties: false });

export function addSignIn(app: FastifyInstance, { visitors, signIn }: RouteOptions): void {
  app.post<{ Body: Static<typeof Login> }>(LOGIN_PATH, { schema: { body: Login } }, (request, reply) => {
    const cookie = signIn.redeem(request.body.once);
    if (cookie === null) {
      const message = 'this link was used or is too old; telltale page-link prints another';
      throw new HttpError('UNAUTHORIZED', message);
    }
    return reply.status(204).header('set-cookie', cookie).header('cache-control', 'no-store').send();
  });

  app.post('/api/page-links', (request, reply) =>
    reply.header('cache-control', 'no-store').send({ path: signIn.link(visitors.who(request).token) }),
  );
}
