// Serves the page: a few static files read once at start, with headers that let them talk to this server only.
import { readdirSync, readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

const PAGE = new URL('./page/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
} as const;

/** A browser that came by another name than the machine's own (DNS rebinding) is not given the page's token. */
const isLoopbackName = (host: string | undefined) =>
  /^(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d+)?$/.test(host ?? '');

/** Nor is one on another machine, whatever name it says. */
const isLoopbackAddress = (address: string | undefined) => /^(::ffff:)?127\.|^::1$/.test(address ?? '');

/**
 * Adds `/` and the page's files.
 * @param pageToken put into the page, so that whoever opens it on this machine is signed in: for the demo only
 */
export function addPage(app: FastifyInstance, pageToken: string | undefined): void {
  for (const name of readdirSync(PAGE)) {
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
    if (type === undefined) continue;
    const text = readFileSync(new URL(name, PAGE), 'utf8');
    if (name !== 'index.html') {
      app.get(`/${name}`, (_request, reply) => reply.headers(HEADERS).type(type).send(text));
      continue;
    }
    app.get('/', (request, reply) => {
      const here = isLoopbackName(request.headers.host) && isLoopbackAddress(request.socket.remoteAddress);
      const given = pageToken !== undefined && here ? pageToken : '';
      const meta = `<meta name="telltale-token" content="${given.replace(/[^A-Za-z0-9_~.-]/g, '')}">`;
      // With a token in it the page is nothing to keep.
      return reply
        .headers({ ...HEADERS, 'cache-control': 'no-store' })
        .type(type)
        .send(text.replace('<!-- token -->', meta));
    });
  }
}
