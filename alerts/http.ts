// What all routes share: who asks (bearer token, or the cookie of a browser that came by a link), and errors as
// {code, message} with the right status.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isRetryable, messageOf, TelltaleError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { Warnings } from '../core/warnings.ts';
import type { SignIn } from './sign-in.ts';
import type { Grant, TokenStore } from './tokens.ts';

/** Codes of the REST interface beside those of core/errors.ts, with their HTTP status. */
export const HTTP_ERRORS = {
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  UNKNOWN_CAR: 404,
  UNKNOWN_FAULT: 422,
  INVALID: 400,
  TOO_LARGE: 413,
  TOO_MANY: 429,
  NOT_READY: 503,
  INTERNAL: 500,
} as const;

export class HttpError extends Error {
  readonly code: keyof typeof HTTP_ERRORS;

  constructor(code: keyof typeof HTTP_ERRORS, message: string) {
    super(message);
    this.code = code;
  }
}

/** Who asks. */
export interface Visitor {
  readonly token: string;
  readonly grant: Grant;
}

export class Visitors {
  readonly #tokens: TokenStore;
  readonly #signIn: SignIn;

  constructor(tokens: TokenStore, signIn: SignIn) {
    this.#tokens = tokens;
    this.#signIn = signIn;
  }

  /** Who asks, as the tokens are now; null when it has no token, or one that grants nothing. */
  whoOrNone({ headers, method }: FastifyRequest): Visitor | null {
    const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
    const mustSayOrigin = method !== 'GET' && method !== 'HEAD';
    const token = bearer ?? this.#signIn.tokenOf(headers, { mustSayOrigin });
    const grant = token === null ? null : this.#tokens.grantOf(token);
    return token === null || grant === null ? null : { token, grant };
  }

  /** @throws HttpError UNAUTHORIZED */
  who(request: FastifyRequest): Visitor {
    const visitor = this.whoOrNone(request);
    if (!visitor) throw new HttpError('UNAUTHORIZED', 'a bearer token is needed: Authorization: Bearer …');
    return visitor;
  }

  /** @throws HttpError UNAUTHORIZED */
  grantOf(request: FastifyRequest): Grant {
    return this.who(request).grant;
  }
}

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** What a check of a request's parts says of the first fault, as Fastify hands it on. */
interface Checked {
  readonly validationContext?: string;
  readonly validation?: readonly {
    readonly keyword: string;
    readonly instancePath: string;
    readonly params: { readonly allowedValues?: readonly unknown[] };
  }[];
}

/** The words of a request that is wrong; of a value that is none of a few, which these are. */
function whyInvalid(error: unknown): string {
  const { validation: [first] = [], validationContext = '' } = error as Checked;
  const allowed = first?.keyword === 'enum' ? first.params.allowedValues : undefined;
  if (first === undefined || allowed === undefined) return messageOf(error);
  return `${validationContext}${first.instancePath} must be one of ${allowed.join(', ')}`;
}

function answerFor(error: unknown): Answer {
  if (error instanceof HttpError)
    return { status: HTTP_ERRORS[error.code], code: error.code, message: error.message };
  if (error instanceof TelltaleError)
    return { status: isRetryable(error) ? 503 : 500, code: error.code, message: error.message };
  const status = (error as { statusCode?: unknown }).statusCode;
  if (status === 413) return { status, code: 'TOO_LARGE', message: messageOf(error) };
  if (typeof status === 'number' && status >= 400 && status < 500)
    return { status, code: 'INVALID', message: whyInvalid(error) };
  return { status: 500, code: 'INTERNAL', message: 'an error of this program; the server has logged it' };
}

/** The same of what never reaches a route: an address that cannot be decoded, or that no route could match. */
export function answerFrameworkError(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  const { status, code, message } = answerFor(error);
  void reply.status(status).send({ code, message });
}

/** Makes every error and every unknown path answer with {code, message}. */
export function answerErrors(app: FastifyInstance, warnings: Warnings): void {
  app.setErrorHandler((error, request, reply: FastifyReply) => {
    const { status, code, message } = answerFor(error);
    if (status === 500)
      warnings.report(
        `error ${request.routeOptions.url}`,
        `alerts: ${request.method} ${printable(request.url)}: ${error instanceof Error ? error.stack : messageOf(error)}`,
      );
    return reply.status(status).send({ code, message });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.status(404).send({ code: 'NOT_FOUND', message: `nothing at ${request.method} ${request.url}` }),
  );
}
