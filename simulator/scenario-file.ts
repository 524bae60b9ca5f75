// Reads a scenario file (YAML): every unknown key and impossible value is named with file, line and column, all at once.
import { readFile } from 'node:fs/promises';
import { Ajv, type ErrorObject } from 'ajv';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { messageOf, TelltaleError } from '../core/errors.ts';
import { completeScenario, type Scenario, spanMs, startOf } from './scenario.ts';
import { type ScenarioFile, ScenarioSchema } from './scenario-schema.ts';

/** Scenarios that come with telltale. */
export const READY_SCENARIOS = [
  'demo',
  'commute-day',
  'winter-morning',
  'bad-firmware',
  'reconnect-storm',
  'reference-100k',
] as const;
const FOLDER = new URL('./scenarios/', import.meta.url);
export const SCHEMA_FILE = new URL('scenario.schema.json', FOLDER).pathname;

/** Path of a scenario given by the name of a ready one or by its file. */
export function scenarioPath(nameOrFile: string): string {
  const ready = READY_SCENARIOS.find((name) => name === nameOrFile);
  return ready === undefined ? nameOrFile : new URL(`${ready}.yaml`, FOLDER).pathname;
}

const validate = new Ajv({ strict: false, allErrors: true }).compile<ScenarioFile>(ScenarioSchema);

type Path = readonly (string | number)[];
interface Fault {
  readonly path: Path;
  readonly key?: string;
  readonly what: string;
}

/** Loads a ready scenario or a file. @throws TelltaleError SCENARIO_INVALID with one line for each fault */
export async function loadScenario(nameOrFile: string): Promise<ScenarioFile> {
  const file = scenarioPath(nameOrFile);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const known = READY_SCENARIOS.join(', ');
    throw new TelltaleError(
      'SCENARIO_INVALID',
      `${nameOrFile}: ${messageOf(cause)} (ready scenarios: ${known})`,
      { cause },
    );
  }
  return parseScenario(text, nameOrFile);
}

/** Parses and checks the text of a scenario. @throws TelltaleError SCENARIO_INVALID */
export function parseScenario(text: string, file: string): ScenarioFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const told = document.errors.map((e) => `${at(e.pos[0])}: ${e.message}`);
    throw new TelltaleError('SCENARIO_INVALID', told.join('\n'));
  }
  const value: unknown = document.toJS();
  const faults = validate(value) ? contradictions(value) : (validate.errors ?? []).flatMap(faultOf);
  if (faults.length > 0) {
    const told = faults.map((fault) => `${at(offsetOf(document, fault))}: ${fault.what}`);
    throw new TelltaleError('SCENARIO_INVALID', [...new Set(told)].join('\n'));
  }
  return value as ScenarioFile;
}

/** Where in the file a fault is: its key when it has one, else its value, else the closest thing around it that exists. */
function offsetOf(document: Document.Parsed, { path, key }: Fault): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (isMap(node) && key !== undefined && depth === path.length) {
      const pair = node.items.find(({ key: k }) => isScalar(k) && String(k.value) === key);
      if (isNode(pair?.key) && pair.key.range) return pair.key.range[0];
    }
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

const pathOf = (pointer: string): Path =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

function faultOf(error: ErrorObject): Fault[] {
  const path = pathOf(error.instancePath);
  const name = path.length === 0 ? 'the scenario' : path.join('.');
  const params = error.params as Record<string, unknown>;
  if (error.keyword === 'additionalProperties') {
    const key = String(params.additionalProperty);
    return [{ path, key, what: `unknown key "${key}" in ${name}` }];
  }
  if (error.keyword === 'required') return [{ path, what: `${name} lacks "${params.missingProperty}"` }];
  if (error.keyword === 'enum') {
    const allowed = (params.allowedValues as unknown[]).join(', ');
    return [{ path, what: `${name} must be one of ${allowed}` }];
  }
  if (error.keyword === 'pattern')
    return [{ path, what: `${name} must be a time such as 90s, 15m, 2h or 1d` }];
  // Both arms of a union report; the union's own line says less than they do.
  if (error.keyword === 'anyOf') return [];
  return [{ path, what: `${name} ${error.message ?? 'is invalid'}` }];
}

/** What the schema cannot say. */
function contradictions(file: ScenarioFile): Fault[] {
  const faults: Fault[] = [];
  const { network } = file;
  // Any clock does: it is only asked whether there is a start, and how old one is that the clock does not move.
  const startMs = startOf(file.start, 2 * 86_400_000);
  if (Number.isNaN(startMs))
    faults.push({
      path: ['start'],
      what: 'start must be an ISO time, yesterday with an hour such as 04:00, or now',
    });
  if (startMs !== null && startMs < 86_400_000)
    faults.push({ path: ['start'], what: 'start must be after 1970-01-01' });
  const whole = (text: string | undefined, path: Path) => {
    if (text !== undefined && (spanMs(text) < 1000 || spanMs(text) % 1000 !== 0))
      faults.push({ path, what: `${path.join('.')} must be whole seconds, at least 1s` });
  };
  whole(file.every, ['every']);
  for (const [k, stage] of (file.stages ?? []).entries()) whole(stage.every, ['stages', k, 'every']);
  const [shortest, longest] = network?.tunnel ?? ['0s', '0s'];
  if (spanMs(shortest!) > spanMs(longest!))
    faults.push({
      path: ['network', 'tunnel'],
      what: 'network.tunnel: the shortest is longer than the longest',
    });
  if ((file.processes ?? 1) > file.cars)
    faults.push({ path: ['processes'], what: 'processes: more than there are cars' });
  const names = new Set(file.fleets.map((fleet) => fleet.name));
  const choices = { faults: file.faults ?? [], harmless: file.harmless ?? [] };
  for (const [list, plans] of Object.entries(choices)) {
    plans.forEach(({ cars }, k) => {
      if (cars?.fleet !== undefined && !names.has(cars.fleet))
        faults.push({ path: [list, k, 'cars', 'fleet'], what: `no fleet is named "${cars.fleet}"` });
    });
  }
  (file.hazards ?? []).forEach((hazard, k) => {
    const [low, high] = hazard.severity ?? [0, 1];
    if (low! > high!)
      faults.push({ path: ['hazards', k, 'severity'], what: 'severity: lowest above highest' });
  });
  for (const [k, fleet] of file.fleets.entries()) {
    const weights = Object.values(fleet.models) as number[];
    if (weights.every((weight) => weight === 0))
      faults.push({ path: ['fleets', k, 'models'], what: 'models: every weight is 0' });
  }
  return faults;
}

/** What a command line may change about a scenario. */
export interface ScenarioChanges {
  readonly cars?: number | null;
  readonly seed?: number | null;
  readonly startMs?: number | null;
  readonly historyMs?: number | null;
  readonly durationMs?: number | null;
  readonly speed?: number | null;
  readonly processes?: number | null;
}

/** A scenario with its defaults and the changes a command line asks for. `nowMs`: as completeScenario takes it. */
export function resolveScenario(file: ScenarioFile, changes: ScenarioChanges = {}, nowMs?: number): Scenario {
  const scenario = completeScenario(file, nowMs);
  return {
    ...scenario,
    cars: changes.cars ?? scenario.cars,
    seed: changes.seed ?? scenario.seed,
    startMs: changes.startMs ?? scenario.startMs,
    historyMs: changes.historyMs ?? scenario.historyMs,
    durationMs: changes.durationMs ?? scenario.durationMs,
    speed: changes.speed ?? scenario.speed,
    processes: changes.processes ?? scenario.processes,
  };
}
