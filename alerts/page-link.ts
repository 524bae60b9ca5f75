// `telltale page-link`: asks the running server for another link that opens the page signed in, once, in one browser.
import { messageOf, TelltaleError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { Context } from '../core/service.ts';
import type { Settings } from '../core/settings.ts';
import { tokensPath } from './command.ts';
import { operatorToken } from './sign-in.ts';
import { readTokens } from './tokens.ts';

/** The token of the setting, else the one for everything in the tokens file. @throws TelltaleError CONFIG_INVALID */
function tokenFor(settings: Settings): string {
  if (settings.token !== '') return settings.token;
  const path = tokensPath(settings);
  const token = operatorToken(readTokens(path));
  if (token !== undefined) return token;
  const message = `${path}: has no token for every car that may control them; give one with --token`;
  throw new TelltaleError('CONFIG_INVALID', message);
}

/** @throws TelltaleError SERVER_UNAVAILABLE, SERVER_REFUSED, CONFIG_INVALID */
export async function runPageLink(settings: Settings, { say }: Context): Promise<void> {
  const base = settings.url.replace(/\/$/, '');
  const headers = { authorization: `Bearer ${tokenFor(settings)}` };
  let answer: Response;
  try {
    answer = await fetch(`${base}/api/page-links`, { method: 'POST', headers });
  } catch (cause) {
    const why = messageOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
    const message = `${base}: ${why}; is npm start or telltale serve running there? (--url names another place)`;
    throw new TelltaleError('SERVER_UNAVAILABLE', message, { cause });
  }
  const body: unknown = await answer.json().catch(() => null);
  const path = typeof body === 'object' && body !== null && 'path' in body ? String(body.path) : '';
  if (answer.ok && /^\/#once=[\w-]+$/.test(path)) return say(`page: ${base}${path}`);
  const said = typeof body === 'object' && body !== null && 'message' in body ? printable(body.message) : '';
  throw new TelltaleError(
    'SERVER_REFUSED',
    `${base}: answers ${answer.status}${said === '' ? '' : `: ${said}`}`,
  );
}
