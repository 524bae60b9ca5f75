// The page's way to the server: REST with the cookie that a link left, or with a bearer token, and the live stream.
import { byId } from './dom.js';

/**
 * @typedef {import('./types.js').Session} Session
 * @typedef {import('./types.js').Frame} Frame
 */

const STORED = 'telltale-token';

/** The token behind `#token=` in the address, or kept from a sign-in in this tab; empty: the browser's cookie may do. */
function knownToken() {
  const inAddress = new URLSearchParams(location.hash.slice(1)).get('token');
  if (inAddress) history.replaceState(null, '', location.pathname);
  const token = inAddress || sessionStorage.getItem(STORED) || '';
  if (inAddress) sessionStorage.setItem(STORED, token);
  return token;
}

/** Trades the code of a link (`#once=`) for a cookie. A link that was used before changes nothing: the cookie may be there. */
async function useLink() {
  const once = new URLSearchParams(location.hash.slice(1)).get('once');
  if (!once) return;
  history.replaceState(null, '', location.pathname);
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch('/api/login', { method: 'POST', headers, body: JSON.stringify({ once }) });
  if (answer.ok) sessionStorage.removeItem(STORED);
}

const HOW_TO_GET_IN =
  'Open the link that telltale printed in its terminal (telltale page-link prints another), or give a token.';

/** @param {string} why */
function askForToken(why) {
  const dialog = byId('sign-in', HTMLDialogElement);
  byId('sign-in-why', HTMLElement).textContent = why;
  return new Promise((resolve) => {
    byId('sign-in-form', HTMLFormElement).addEventListener(
      'submit',
      () => resolve(byId('token', HTMLInputElement).value.trim()),
      { once: true },
    );
    dialog.addEventListener('cancel', (event) => event.preventDefault(), { once: true });
    dialog.showModal();
  });
}

/** Resolves when the server has accepted a token. @returns {Promise<{api: Api, session: Session}>} */
export async function signIn() {
  await useLink();
  let token = knownToken();
  for (;;) {
    const api = new Api(token);
    const answer = await fetch('/api/session', { headers: api.headers });
    if (answer.ok) return { api, session: await answer.json() };
    if (answer.status !== 401) throw new Error(`the server answers ${answer.status}`);
    token = await askForToken(token ? 'That token is not accepted. Another one?' : HOW_TO_GET_IN);
    sessionStorage.setItem(STORED, token);
  }
}

export class Api {
  /** @param {string} token Empty: the browser's cookie says who it is. */
  constructor(token) {
    this.token = token;
    /** @type {Record<string, string>} */
    this.headers = token ? { authorization: `Bearer ${token}` } : {};
  }

  /** @param {string} path @param {unknown} body */
  async post(path, body) {
    const answer = await fetch(path, {
      method: 'POST',
      headers: { ...this.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.ok) return;
    const { message } = await answer.json().catch(() => ({ message: `status ${answer.status}` }));
    throw new Error(message);
  }

  /** @param {string} path @returns {Promise<any>} */
  async get(path) {
    const answer = await fetch(path, { headers: this.headers });
    const body = await answer.json().catch(() => ({ message: `status ${answer.status}` }));
    if (!answer.ok) throw new Error(body.message);
    return body;
  }

  /**
   * Follows the live stream with one car watched until the signal aborts; comes back after a loss.
   * @param {string | null} vin
   * @param {AbortSignal} signal
   * @param {(frame: Frame) => void} take
   * @param {(connected: boolean) => void} tell
   */
  async live(vin, signal, take, tell) {
    const query = vin === null ? '' : `?vin=${encodeURIComponent(vin)}`;
    while (!signal.aborted) {
      const attempt = new AbortController();
      try {
        const mine = AbortSignal.any([signal, attempt.signal]);
        const answer = await fetch(`/api/live${query}`, { headers: this.headers, signal: mine });
        if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`);
        tell(true);
        await readEvents(answer.body, take);
      } catch {
        // Said by `tell`; the next attempt follows.
      } finally {
        attempt.abort();
      }
      if (signal.aborted) return;
      tell(false);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/** A picture comes each second: a stream that says nothing for this long is dead, whatever its connection says. */
const SILENCE_MS = 10_000;

/** @template T @param {Promise<T>} read @returns {Promise<T>} */
async function within(read) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('no sign of life')), SILENCE_MS);
  });
  try {
    return await Promise.race([read, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {ReadableStream<Uint8Array<ArrayBuffer>>} body @param {(frame: Frame) => void} take */
async function readEvents(body, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await within(reader.read());
    if (done) return;
    text += value;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) if (event.startsWith('data: ')) take(JSON.parse(event.slice(6)));
  }
}
