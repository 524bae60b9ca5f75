// Apps on pages of other origins: they may load the client and ask with their own token. Whoever has no token learns nothing, and
// no answer here is for cookies (`*` tells browsers to send none), so any page may ask.
import type { FastifyInstance } from 'fastify';

const OPEN = /^\/(api\/|phone-client\.js|health)/;

/** Adds the headers of the Fetch standard's CORS protocol, and answers its questions before a request. */
export function allowOtherOrigins(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!OPEN.test(request.url)) return;
    reply.header('access-control-allow-origin', '*');
    if (request.method !== 'OPTIONS') return;
    await reply
      .headers({
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': 'authorization, content-type',
        'access-control-max-age': '600',
      })
      .status(204)
      .send();
  });
}
