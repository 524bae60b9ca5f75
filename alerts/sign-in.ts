// How a person at the machine gets into the page: a link printed in the terminal signs one browser in, once, and leaves a
// cookie that scripts cannot read and other sites cannot use. Nobody is trusted for where a request comes from: behind a
// proxy every visitor comes from this machine.
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../core/service.ts';
import type { TokensFile } from './tokens.ts';

/** Links that were not used yet; the oldest makes room. */
const MAX_LINKS = 32;
const LINK_MS = 24 * 3_600_000;
/** Browsers signed in; the one signed in longest ago makes room. */
const MAX_BROWSERS = 1000;
const BROWSER_MS = 30 * 24 * 3_600_000;

/** A token that is held for somebody until a time. */
interface Held {
  readonly token: string;
  readonly untilMs: number;
}

export interface SignInOptions {
  readonly clock: Clock;
  /** Of the server: browsers keep one set of cookies for all ports of a machine. */
  readonly port: () => number;
  /** Makes what cannot be guessed; a parameter for tests. */
  readonly secret?: () => string;
}

export class SignIn {
  readonly #links = new Map<string, Held>();
  readonly #browsers = new Map<string, Held>();
  readonly #options: SignInOptions;
  readonly #secret: () => string;

  constructor(options: SignInOptions) {
    this.#options = options;
    this.#secret = options.secret ?? (() => randomBytes(24).toString('base64url'));
  }

  /** A path that signs one browser in with this token, once. It stands behind `#`, which no proxy and no log sees. */
  link(token: string): string {
    const code = this.#hold(this.#links, MAX_LINKS, token, LINK_MS);
    return `/#once=${code}`;
  }

  /** The Set-Cookie of a browser that came with the code of a link; null when it is spent, too old or none. */
  redeem(code: string): string | null {
    const token = this.#tokenOf(this.#links, code);
    this.#links.delete(code);
    if (token === null) return null;
    const browser = this.#hold(this.#browsers, MAX_BROWSERS, token, BROWSER_MS);
    const maxAge = BROWSER_MS / 1000;
    return `${this.#cookie}=${browser}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict`;
  }

  /** The token of the browser that sends these headers from a page of this server; null: it has none, or may not use it. */
  tokenOf(
    headers: IncomingHttpHeaders,
    { mustSayOrigin }: { readonly mustSayOrigin: boolean },
  ): string | null {
    const value = cookieOf(headers.cookie, this.#cookie);
    if (value === null || !isOwnOrigin(headers, mustSayOrigin)) return null;
    return this.#tokenOf(this.#browsers, value);
  }

  get #cookie(): string {
    return `telltale-${this.#options.port()}`;
  }

  #hold(all: Map<string, Held>, most: number, token: string, lastsMs: number): string {
    const key = this.#secret();
    all.set(key, { token, untilMs: this.#options.clock() + lastsMs });
    if (all.size > most)
      for (const oldest of all.keys()) {
        all.delete(oldest);
        break;
      }
    return key;
  }

  #tokenOf(all: ReadonlyMap<string, Held>, key: string): string | null {
    const held = all.get(key);
    return held !== undefined && this.#options.clock() < held.untilMs ? held.token : null;
  }
}

function cookieOf(header: string | undefined, name: string): string | null {
  for (const part of (header ?? '').split(';')) {
    const cut = part.indexOf('=');
    if (cut > 0 && part.slice(0, cut).trim() === name) return part.slice(cut + 1).trim();
  }
  return null;
}

/**
 * Whether a request with a cookie comes from a page of this server. A browser sends the cookie along for any page on this
 * machine, whatever its port, and says with `Origin` and `Sec-Fetch-Site` which page it was. No page can make up the host
 * that a proxy forwards.
 */
function isOwnOrigin(headers: IncomingHttpHeaders, mustSayOrigin: boolean): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const { origin } = headers;
  if (origin === undefined) return !mustSayOrigin;
  if (!URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  return host === headers.host || host === headers['x-forwarded-host'];
}

/** The token of a file that is the page's: it grants every car and may break them. */
export function operatorToken({ tokens }: TokensFile): string | undefined {
  return tokens.find(({ vins, control }) => vins === '*' && control === true)?.token;
}
