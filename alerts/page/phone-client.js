// The phone's side of the feed: connects, comes back with its cursor after any loss, hands over each phase of each alert once,
// and says whether the cars are watched at all: no alert is good news only then. Plain JavaScript without imports, so that the
// page, an app and Node take the same file.

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
 * @property {number} [open]
 * @property {Stream} [stream]
 * @property {boolean} [gap]
 * @property {number} [heartbeatMs]
 * @property {string} [name]
 */

/**
 * @typedef {object} Stream Whether the server's cars are watched; see docs/phone-protocol.md.
 * @property {'learning' | 'starting' | 'live' | 'behind' | 'unscored' | 'silent'} state
 * @property {number | null} sinceMs When the newest scored event came in.
 * @property {number} cars
 * @property {number} silent Cars that have not been heard of for a while.
 */

/**
 * @typedef {object} Status What is true at this moment, in one word and in words for a person.
 * @property {Stream['state'] | 'connecting' | 'away' | 'refused' | 'closed'} kind
 * @property {boolean} watching Only when true does no alert mean that nothing is wrong.
 * @property {number | null} sinceMs
 * @property {number} cars
 * @property {number} silent
 * @property {string} words
 */

/**
 * @typedef {'connecting' | 'open' | 'away' | 'refused' | 'closed'} LinkState
 * `away`: lost, will come back. `refused`: the token is not accepted; final.
 */

/**
 * @typedef {object} FollowOptions
 * @property {string} url The server, `http://…` or `ws://…`.
 * @property {string} [token] Absent or empty: the cookie of a page that was opened by a link.
 * @property {readonly string[]} [vins] Only these of the token's cars.
 * @property {string} [cursor] Where the client left off; absent: begin with the open alerts.
 * @property {(alert: Alert) => void} onAlert
 * @property {(alerts: readonly OpenAlert[], open: number) => void} [onSnapshot] `open`: how many stand open, listed or not.
 * @property {(status: Status) => void} [onStatus] Each change of what is true; show its words.
 * @property {(cursor: string) => void} [onCursor] Keep it: it is what to come back with.
 * @property {() => void} [onGap] Something may be missing: the cursor was unknown or too old.
 * @property {(state: LinkState, why: string) => void} [onState]
 * @property {() => number} [random] In [0, 1), for the jitter.
 * @property {number} [firstWaitMs] Wait before the first reconnect; doubles up to `longestWaitMs`.
 * @property {number} [longestWaitMs]
 */

const UNAUTHORIZED = 4401;
/** A connection that says nothing for this long is taken for dead; the server's own heartbeat may say another time. */
const SILENCE_MS = 10_000;
/** How long the server may take to answer a plain request, when its WebSocket does not. */
const PROBE_MS = 5_000;
/** Phases remembered to tell a repeated one. */
const REMEMBERED = 5000;

/** A time of day, with the day when it is not today. @param {number} ms */
function clockOf(ms) {
  const at = new Date(ms);
  const time = at.toLocaleTimeString('en-GB');
  return at.toDateString() === new Date().toDateString() ? time : `${at.toISOString().slice(0, 10)} ${time}`;
}

/** What a stream's state means, for a person. @param {Stream} stream */
export function streamWords({ state, sinceMs, cars, silent }) {
  const since = sinceMs === null ? '' : clockOf(sinceMs);
  if (state === 'learning') return 'learning: no model yet, nothing is judged';
  if (state === 'starting') return 'starting: waiting for the first data';
  if (state === 'unscored')
    return `no scores${since ? ` since ${since}` : ' yet'}, though cars send: does scoring run?`;
  if (state === 'behind') return `behind: what is judged now came in at ${since}`;
  if (state === 'silent') return since ? `no data since ${since}` : 'no data yet: no car has been heard';
  return silent > 0 ? `live, but ${silent} of ${cars} cars silent` : 'live';
}

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
  /** The present connection has been answered by the feed. */
  let greeted = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** Silence after which the connection counts as lost; known from the greeting. */
  let silenceMs = SILENCE_MS;
  /** When the server was last heard. @type {number | null} */
  let heardMs = null;
  let told = '';

  /** @param {LinkState} state @param {string} why */
  const tell = (state, why) => options.onState?.(state, why);

  /** @param {Status['kind']} kind @param {string} words @param {Partial<Stream>} [stream] */
  function say(kind, words, { sinceMs = heardMs, cars = 0, silent = 0 } = {}) {
    const text = `${kind} ${words}`;
    if (text === told) return;
    told = text;
    options.onStatus?.({ kind, watching: kind === 'live', sinceMs, cars, silent, words });
  }

  /** @param {string} why */
  function sayAway(why) {
    say('away', `no connection${heardMs === null ? '' : ` since ${clockOf(heardMs)}`}: ${why}; trying again`);
  }

  /** No connection came to be: is the server away, or does somebody between let no WebSocket through? @param {string} why */
  async function probe(why) {
    const server = options.url.replace(/^ws/, 'http').replace(/\/$/, '');
    const answers = await fetch(`${server}/health`, { signal: AbortSignal.timeout(PROBE_MS) }).then(
      () => true,
      () => false,
    );
    if (over || greeted) return;
    if (!answers) return sayAway(why);
    say(
      'away',
      `no alerts come: the server answers, but its WebSocket does not (${why}); does a proxy block it? Trying again`,
    );
  }

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
    const key = `${alert.alertId} ${alert.phase} ${alert.severity}`;
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
      silenceMs = message.heartbeatMs ? message.heartbeatMs * 2.5 : SILENCE_MS;
      greeted = true;
      if (message.gap) options.onGap?.();
      tell('open', message.name ?? '');
    }
    if (message.stream) say(message.stream.state, streamWords(message.stream), message.stream);
    if (message.type === 'snapshot') {
      const alerts = message.alerts ?? [];
      options.onSnapshot?.(alerts, message.open ?? alerts.length);
    }
    if (message.type === 'alert' && message.alert) hand(message.alert);
    if (message.type === 'ping') socket?.send('{"type":"pong"}');
    // After the alert was handed over: whoever keeps the cursor has then seen everything before it.
    if (message.type !== 'hello' && typeof message.cursor === 'string') moveTo(message.cursor);
  }

  function connect() {
    tell('connecting', address);
    if (failures === 0) say('connecting', 'connecting');
    greeted = false;
    const made = new WebSocket(address);
    socket = made;
    let opened = false;
    made.onopen = () => {
      opened = true;
      const { token, vins } = options;
      made.send(
        JSON.stringify({
          type: 'auth',
          ...(token ? { token } : {}),
          ...(cursor ? { cursor } : {}),
          ...(vins ? { vins } : {}),
        }),
      );
    };
    made.onmessage = (event) => {
      if (socket !== made) return;
      heardMs = Date.now();
      watchSilence();
      take(JSON.parse(String(event.data)));
    };
    made.onclose = (event) => {
      if (socket !== made) return;
      if (event.code === UNAUTHORIZED) {
        end('refused', event.reason);
        return;
      }
      lose(event.reason || `connection lost (${event.code})`, !opened && event.reason === '');
    };
    watchSilence();
  }

  /** @param {string} why @param {boolean} [refused] It was turned away at once, without a word of the feed. */
  function lose(why, refused = false) {
    const lost = socket;
    socket = null;
    lost?.close();
    if (over) return;
    failures += 1;
    tell('away', why);
    // A server that only took too long is no proxy's doing: it may be busy, or frozen.
    if (refused) void probe(why);
    else sayAway(why);
    greeted = false;
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
    say(
      state === 'refused' ? 'refused' : 'closed',
      state === 'refused' ? `the token is not accepted: ${why}` : 'closed',
    );
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
