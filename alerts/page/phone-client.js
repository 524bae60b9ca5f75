// The phone's side of the feed: connects, comes back with its cursor after any loss, and hands over each phase of each alert
// once. Plain JavaScript without imports, so that the page, an app and Node take the same file.

/**
 * @typedef {object} Alert One phase of an alert; see docs/phone-protocol.md.
 * @property {string} alertId
 * @property {string} vin
 * @property {'raised' | 'escalated' | 'acknowledged' | 'cleared'} phase
 * @property {'warning' | 'critical'} severity
 * @property {number} ts Event time of this phase, ms.
 * @property {number} raisedTs
 * @property {string} reason
 * @property {readonly {signal: string, value: number | null, expected: number | null, share: number}[]} top Signals that made it, largest share first.
 * @property {string} [by]
 */

/**
 * @typedef {object} OpenAlert An alert that stands open when the client connects without a cursor.
 * @property {string} alertId
 * @property {string} vin
 * @property {'warning' | 'critical'} severity
 * @property {number} raisedTs
 * @property {number} [acknowledgedTs]
 * @property {string} reason
 */

/**
 * @typedef {object} Message What the server sends; which fields there are follows from the type.
 * @property {'hello' | 'snapshot' | 'alert' | 'acknowledged' | 'ping' | 'pong'} type
 * @property {string} [cursor]
 * @property {Alert} [alert]
 * @property {readonly OpenAlert[]} [alerts]
 * @property {boolean} [gap]
 * @property {number} [heartbeatMs]
 * @property {string} [name]
 */

/**
 * @typedef {'connecting' | 'open' | 'away' | 'refused' | 'closed'} LinkState
 * `away`: lost, will come back. `refused`: the token is not accepted; final.
 */

/**
 * @typedef {object} FollowOptions
 * @property {string} url The server, `http://…` or `ws://…`.
 * @property {string} token
 * @property {readonly string[]} [vins] Only these of the token's cars.
 * @property {string} [cursor] Where the client left off; absent: begin with the open alerts.
 * @property {(alert: Alert) => void} onAlert
 * @property {(alerts: readonly OpenAlert[]) => void} [onSnapshot]
 * @property {(cursor: string) => void} [onCursor] Keep it: it is what to come back with.
 * @property {() => void} [onGap] Something may be missing: the cursor was unknown or too old.
 * @property {(state: LinkState, why: string) => void} [onState]
 * @property {() => number} [random] In [0, 1), for the jitter.
 * @property {number} [firstWaitMs] Wait before the first reconnect; doubles up to `longestWaitMs`.
 * @property {number} [longestWaitMs]
 */

const UNAUTHORIZED = 4401;
/** Phases remembered to tell a repeated one. */
const REMEMBERED = 5000;

/** Follows the alerts of a token until `close()`. @param {FollowOptions} options */
export function followAlerts(options) {
  const { random = Math.random, firstWaitMs = 250, longestWaitMs = 30_000 } = options;
  const address = `${options.url.replace(/^http/, 'ws').replace(/\/$/, '')}/feed`;
  /** @type {Set<string>} */
  const seen = new Set();
  /** @type {WebSocket | null} */
  let socket = null;
  let cursor = options.cursor;
  let failures = 0;
  let over = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** Silence after which the connection counts as lost; known from the greeting. */
  let silenceMs = 45_000;

  /** @param {LinkState} state @param {string} why */
  const tell = (state, why) => options.onState?.(state, why);

  const watchSilence = () => {
    clearTimeout(timer);
    timer = setTimeout(() => lose('no sign of life from the server'), silenceMs);
  };

  /** @param {string} next */
  function moveTo(next) {
    cursor = next;
    options.onCursor?.(next);
  }

  /** @param {Alert} alert */
  function hand(alert) {
    const key = `${alert.alertId} ${alert.phase}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (seen.size > REMEMBERED)
      for (const oldest of seen) {
        seen.delete(oldest);
        break;
      }
    options.onAlert(alert);
  }

  /** @param {Message} message */
  function take(message) {
    if (message.type === 'hello') {
      failures = 0;
      silenceMs = (message.heartbeatMs ?? 15_000) * 2.5;
      if (message.gap) options.onGap?.();
      tell('open', message.name ?? '');
    }
    if (message.type === 'snapshot') options.onSnapshot?.(message.alerts ?? []);
    if (message.type === 'alert' && message.alert) hand(message.alert);
    if (message.type === 'ping') socket?.send('{"type":"pong"}');
    // After the alert was handed over: whoever keeps the cursor has then seen everything before it.
    if (message.type !== 'hello' && typeof message.cursor === 'string') moveTo(message.cursor);
  }

  function connect() {
    tell('connecting', address);
    const made = new WebSocket(address);
    socket = made;
    made.onopen = () => {
      const { token, vins } = options;
      made.send(
        JSON.stringify({ type: 'auth', token, ...(cursor ? { cursor } : {}), ...(vins ? { vins } : {}) }),
      );
    };
    made.onmessage = (event) => {
      if (socket !== made) return;
      watchSilence();
      take(JSON.parse(String(event.data)));
    };
    made.onclose = (event) => {
      if (socket !== made) return;
      if (event.code === UNAUTHORIZED) {
        end('refused', event.reason);
        return;
      }
      lose(event.reason || `connection lost (${event.code})`);
    };
    watchSilence();
  }

  /** @param {string} why */
  function lose(why) {
    const lost = socket;
    socket = null;
    lost?.close();
    if (over) return;
    failures += 1;
    tell('away', why);
    clearTimeout(timer);
    const ceilingMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(failures - 1, 20));
    // Half of the wait is by chance, so that ten thousand phones do not come back at the same moment.
    timer = setTimeout(connect, ceilingMs * (0.5 + random() / 2));
  }

  /** @param {LinkState} state @param {string} why */
  function end(state, why) {
    over = true;
    clearTimeout(timer);
    const last = socket;
    socket = null;
    last?.close(1000);
    tell(state, why);
  }

  connect();
  return {
    close: () => end('closed', ''),
    /** Says: I have seen it. False while not connected. @param {string} alertId */
    acknowledge: (alertId) => {
      if (socket?.readyState !== 1) return false;
      socket.send(JSON.stringify({ type: 'acknowledge', alertId }));
      return true;
    },
    get cursor() {
      return cursor;
    },
  };
}
