// What a server really sends, its schemas, and the words of docs/phone-protocol.md, held to each other both ways: nothing is sent that
// the schema does not name, nothing is named that is never sent, and the page of the protocol names the same fields.
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { AlertView } from '../../alerts/alert-index.ts';
import { ServerMessage } from '../../alerts/feed-protocol.ts';
import { AlertList, Car, Fleet, FoundCars, Frame, Session, StreamStatus, Tile } from '../../alerts/wire.ts';
import { Alert, SignalShare } from '../../core/events.ts';
import { Phone } from './phone.ts';
import { ask as askUrl, useRig } from './rig.ts';
import { ALL, appendAlerts, appendScores, makeAlert, makeScore } from './support.ts';

const rig = useRig();

interface ObjectSchema {
  readonly properties: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

const messages = (ServerMessage.anyOf as readonly ObjectSchema[]).map(
  (schema) => [String((schema.properties.type as { const?: unknown }).const), schema] as const,
);
const OBJECTS: Readonly<Record<string, ObjectSchema>> = {
  ...Object.fromEntries(messages),
  stream: StreamStatus,
  phase: Alert,
  'open alert': AlertView,
  share: SignalShare,
  fleet: Fleet,
  tile: Tile,
  car: Car,
  picture: Frame,
  'found cars': FoundCars,
  'alert list': AlertList,
  session: Session,
};

/** `name` or, when it is not always there, `name?`. */
const fieldsOf = ({ properties, required = [] }: ObjectSchema) =>
  Object.keys(properties)
    .map((name) => (required.includes(name) ? name : `${name}?`))
    .toSorted();

it('has the objects that the page of the protocol tells, field for field', () => {
  const page = readFileSync(new URL('../../docs/phone-protocol.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('## The objects'), page.indexOf('All times are ms'));
  const told = [...table.matchAll(/^\| `?([a-z ]+?)`? \| (`.*) \|$/gm)].map(([, name, fields]) => [
    name,
    [...fields!.matchAll(/`(\w+)`(\??)/g)].map(([, field, mark]) => `${field}${mark}`).toSorted(),
  ]);
  expect(Object.fromEntries(told)).toEqual(
    Object.fromEntries(Object.entries(OBJECTS).map(([name, schema]) => [name, fieldsOf(schema)])),
  );
});

it('sends what the schemas say, all of it and nothing else', async () => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  const faults = [{ name: 'overheating', label: 'overheating', moves: ['coolantC'], needs: [] }];
  const alerts = await rig.alerts({
    ...{ liveMs: 20, limits: { heartbeatMs: 20 }, faults, fleetControl: async () => undefined },
  });
  const phone = new Phone({ url: alerts.url, token: ALL });
  rig.later(() => phone.socket.terminate());
  const sent = new Map<string, Set<string>>();
  /** Holds a value to its schema and remembers which fields it has. */
  const hold = (name: string, value: object) => {
    const schema = { ...OBJECTS[name]!, additionalProperties: false };
    const valid = ajv.validate({ ...schema, $id: undefined }, value);
    expect(valid ? '' : `${name}: ${ajv.errorsText()}`).toBe('');
    const seen = sent.get(name) ?? new Set();
    for (const key of Object.keys(value)) seen.add(key);
    sent.set(name, seen);
  };
  const ask = async (path: string) => (await askUrl(alerts.url, path)).body;
  const top = [{ signal: 'coolantC', value: 118, expected: 92, share: 0.8 }];
  const alert = makeAlert('CAR9', { top });
  const worse = { ...alert, phase: 'escalated', severity: 'critical', ts: alert.ts + 1 } as const;
  await phone.message('snapshot');
  await appendAlerts(rig.log, [alert, worse]);
  await phone.received(2);
  phone.send({ type: 'acknowledge', alertId: alert.alertId });
  phone.send({ type: 'ping' });
  await Promise.all([phone.received(3), phone.message('acknowledged'), phone.message('pong')]);
  const over = makeAlert('CAR8', { top });
  await appendAlerts(rig.log, [over, { ...over, phase: 'cleared', ts: over.ts + 1 }]);
  await phone.received(5);
  await appendScores(rig.log, [makeScore('CAR1', 0, 0.1), makeScore('CAR1', 1, 0.1)]);
  await phone.until((all) => all.find((m) => m.type === 'ping' && m.stream.state === 'live'));
  const again = new Phone({ url: alerts.url, token: ALL });
  const { alerts: open } = await again.message('snapshot');
  again.socket.terminate();
  expect(open).toHaveLength(1);
  for (const message of [...phone.messages, ...again.messages]) {
    hold(message.type, message);
    if ('stream' in message) hold('stream', message.stream);
    if (message.type === 'alert') hold('phase', message.alert);
  }
  const list = await ask('/api/alerts');
  hold('alert list', list);
  for (const view of [...open, ...list.alerts]) hold('open alert', view);
  for (const share of list.alerts[0].top) hold('share', share);
  const [fleet, car] = [await ask('/api/fleet'), await ask('/api/cars/CAR1')];
  hold('fleet', fleet);
  for (const tile of fleet.cars) hold('tile', tile);
  hold('car', car);
  hold('found cars', await ask('/api/cars?find=car'));
  hold('session', await ask('/api/session'));
  const live = await fetch(`${alerts.url}/api/live?vin=CAR1`, {
    headers: { authorization: `Bearer ${ALL}` },
  });
  const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('\n\n')) text += (await reader.read()).value ?? '';
  await reader.cancel();
  hold('picture', JSON.parse(text.slice('data: '.length, text.indexOf('\n\n'))));
  for (const [name, schema] of Object.entries(OBJECTS))
    expect([name, ...(sent.get(name) ?? [])].toSorted(), name).toEqual(
      [name, ...Object.keys(schema.properties)].toSorted(),
    );
});
