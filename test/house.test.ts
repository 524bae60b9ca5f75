// The house rules of docs/architecture.md, held by reading the imports of every source file.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const ROOMS = ['simulator', 'ingest', 'training', 'scoring', 'alerts'];

interface Import {
  readonly file: string;
  /** A path from the root for own files, a package's name otherwise. */
  readonly target: string;
  readonly typeOnly: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

const IMPORT =
  /(?:^|\n)\s*(import|export)\s+(type\s)?[^'";]*?from\s*['"]([^'"]+)['"]|(?:^|[^\w.])import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s*['"]([^'"]+)['"]|(?:require|resolve)\(\s*['"]([^'"]+)['"]\s*\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(IMPORT)].map((match) => {
    const specifier = match[3] ?? match[4] ?? match[5] ?? match[6] ?? '';
    const own = specifier.startsWith('.');
    const target = own
      ? relative(ROOT, resolve(ROOT, dirname(file), specifier))
      : specifier.replace(/^(@[^/]+\/[^/]+|[^/]+).*$/, '$1');
    return { file, target, typeOnly: match[2] !== undefined };
  });
}

const core = sources('core').flatMap(importsOf);
const rooms = ROOMS.flatMap((room) => sources(room).flatMap(importsOf));
const main = importsOf('main.ts');
const all = [...core, ...rooms, ...main];
const roomOf = (path: string) => ROOMS.find((room) => path.startsWith(`${room}/`));
const show = (i: Import) => `${i.file} imports ${i.target}`;

describe('the house', () => {
  it('is read at all: every room and the core have imports', () => {
    for (const room of [...ROOMS, 'core'])
      expect(all.filter((i) => i.file.startsWith(`${room}/`)).length, room).toBeGreaterThan(0);
    expect(all.some((i) => i.target === 'kafkajs')).toBe(true);
  });

  it('has rooms that never import each other, nor main', () => {
    const wrong = rooms.filter(
      (i) =>
        i.target === 'main.ts' || (roomOf(i.target) !== undefined && roomOf(i.target) !== roomOf(i.file)),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('has a core that imports no room and not main', () => {
    expect(core.filter((i) => roomOf(i.target) !== undefined || i.target === 'main.ts').map(show)).toEqual(
      [],
    );
  });

  it('lets rooms reach only core and themselves', () => {
    const wrong = rooms.filter(
      (i) =>
        /\.(ts|js|json)$/.test(i.target) &&
        !i.target.startsWith('core/') &&
        roomOf(i.target) !== roomOf(i.file),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it.each([
    ['kafkajs', /^core\/log\/kafka[^/]*\.ts$/],
    ['lmdb', /^core\/log\/embedded[^/]*\.ts$/],
    ['aedes', /^ingest\//],
    ['mqtt', /^simulator\//],
    ['ws', /^alerts\//],
    ['fastify', /^alerts\//],
  ])('has one place that imports %s', (name, place) => {
    expect(all.filter((i) => i.target === name && !place.test(i.file)).map(show)).toEqual([]);
  });

  it('loads TensorFlow in core/model/backend.ts only; elsewhere its types alone', () => {
    const tensorflow = all.filter((i) => i.target.startsWith('@tensorflow/') && !i.typeOnly);
    expect(tensorflow.filter((i) => i.file !== 'core/model/backend.ts').map(show)).toEqual([]);
    expect(tensorflow.length).toBeGreaterThan(0);
  });

  it('has errors that import nothing, and inside core no import upwards', () => {
    expect(core.filter((i) => i.file === 'core/errors.ts').map(show)).toEqual([]);
    const upwards = core.filter(
      (i) => i.target.startsWith('core/model/') && !i.file.startsWith('core/model/'),
    );
    expect(upwards.map(show)).toEqual([]);
    const log = core.filter((i) => i.target.startsWith('core/log/') && !/^core\/(log|model)\//.test(i.file));
    expect(log.map(show)).toEqual([]);
  });

  it('reads process.env in core/config.ts only', () => {
    const files = [...ROOMS, 'core']
      .flatMap(sources)
      .filter((file) => file.endsWith('.ts') && file !== 'core/config.ts');
    expect(files.filter((file) => readFileSync(join(ROOT, file), 'utf8').includes('process.env'))).toEqual(
      [],
    );
  });

  it('has a training whose parts import one way only', () => {
    const parts = ['data', 'fit', 'calibrate', 'evaluate', 'report', 'release'];
    const heightOf = (path: string) => {
      const part = /^training\/([^/]+)\//.exec(path)?.[1];
      return part === undefined ? parts.length : parts.indexOf(part);
    };
    const training = all.filter((i) => i.file.startsWith('training/'));
    expect(training.filter((i) => heightOf(i.file) === -1).map(show)).toEqual([]);
    expect(new Set(training.map((i) => heightOf(i.file))).size).toBe(parts.length + 1);
    const inside = training.filter((i) => i.target.startsWith('training/'));
    expect(inside.filter((i) => heightOf(i.target) > heightOf(i.file)).map(show)).toEqual([]);
    const reports = inside.filter((i) => i.file.startsWith('training/release/'));
    expect(reports.filter((i) => i.target.startsWith('training/report/')).map(show)).toEqual([]);
  });

  it('has no circle of imports, of types or of values', () => {
    const own = [...all, ...sources('demo').flatMap(importsOf)];
    const targets = new Map<string, string[]>();
    for (const { file, target } of own) targets.set(file, [...(targets.get(file) ?? []), target]);
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      const from = path.indexOf(file);
      if (from >= 0) circles.push([...path.slice(from), file].join(' → '));
      if (from >= 0 || done.has(file)) return;
      for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of targets.keys()) visit(file, []);
    expect(circles).toEqual([]);
    expect(done.size).toBeGreaterThan(300);
  });

  it('asks no head for its kind outside its folder', () => {
    const folders = sources('core/model/heads').filter((file) => /heads\/\w+\/kind\.ts$/.test(file));
    const kinds = folders.map(
      (file) => /^ {2}kind: '(\w+)'/m.exec(readFileSync(join(ROOT, file), 'utf8'))?.[1],
    );
    expect(kinds).not.toContain(undefined);
    expect(kinds.length).toBeGreaterThan(4);
    const asks = new RegExp(`kind\\s*[!=]==\\s*'(${kinds.join('|')})'|case '(${kinds.join('|')})'`);
    const files = ['core/model', 'training', 'scoring']
      .flatMap(sources)
      .filter((file) => !/^core\/model\/heads\/[^/]+\//.test(file));
    expect(files.filter((file) => asks.test(readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });

  it('has no source file of more than 300 lines', () => {
    const files = [...ROOMS, 'core', 'demo', 'scripts', 'bench'].flatMap(sources);
    const linesOf = (file: string) => readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1;
    expect(files.filter((file) => linesOf(file) > 300)).toEqual([]);
  });
});
