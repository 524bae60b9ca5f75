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

/** Adds `/` and the page's files. Nothing in them is a secret: who sees what is asked for by token or cookie. */
export function addPage(app: FastifyInstance): void {
  for (const name of readdirSync(PAGE)) {
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
    if (type === undefined) continue;
    const text = readFileSync(new URL(name, PAGE), 'utf8');
    app.get(name === 'index.html' ? '/' : `/${name}`, (_request, reply) =>
      reply.headers(HEADERS).type(type).send(text),
    );
  }
}
