// `npm run setup:native`: gives @tensorflow/tfjs-node its library from the package registries alone. Its own install script
// downloads from a host that many networks do not reach; the same library is in the PyPI wheel of TensorFlow, so it is taken
// from there, with the headers, and the package's small addon is compiled against it. Linux on x86-64 with Python and g++.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = new URL('..', import.meta.url).pathname;
const CACHE = join(ROOT, '.cache', 'native');
const PACKAGE = join(ROOT, 'node_modules', '@tensorflow', 'tfjs-node');
/** The wheel whose C library fits what tfjs-node 4.22 was written for. */
const WHEEL = 'tensorflow-cpu==2.12.1';
const HEADERS = [
  'tensorflow/c/',
  'tensorflow/tsl/c/',
  'tensorflow/tsl/platform/',
  'tensorflow/core/platform/',
  'tsl/c/',
  'xla/c/',
];
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

function say(line: string): void {
  console.log(`setup:native: ${line}`);
}

function run(command: string, args: readonly string[], cwd = ROOT, env = process.env): void {
  execFileSync(command, [...args], { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** True when a process of its own can load the addon and compute with it. */
function works(): boolean {
  const probe =
    "const { loadBackend } = await import('./core/model/backend.ts'); const { tf } = await loadBackend('node'); process.exit(tf.add(2, 3).dataSync()[0] === 5 ? 0 : 1);";
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', probe], { cwd: ROOT, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** `npm ci` takes an optional package away again when its install script failed. */
function installPackage(): void {
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const wanted = `@tensorflow/tfjs-node@${optionalDependencies['@tensorflow/tfjs-node']}`;
  say(`installing ${wanted}, its script left out`);
  run('npm', [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    wanted,
  ]);
}

function fetchWheel(): string {
  mkdirSync(CACHE, { recursive: true });
  const wheel = () => readdirSync(CACHE).find((file) => file.endsWith('.whl'));
  if (!wheel()) {
    say(`fetching ${WHEEL} (232 MB) through pip`);
    const target = [
      '--python-version',
      '3.11',
      '--implementation',
      'cp',
      '--platform',
      'manylinux_2_17_x86_64',
    ];
    run('python3', [
      ...['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:'],
      ...[...target, '--dest', CACHE, WHEEL],
    ]);
  }
  return join(CACHE, wheel()!);
}

/** Takes the libraries and the C headers out of the wheel into the package's `deps`. */
function unpack(wheel: string): void {
  const deps = join(PACKAGE, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  say('unpacking the library and its headers');
  const script = `
import os, shutil, sys, zipfile
wheel, deps, headers, libraries = sys.argv[1], sys.argv[2], sys.argv[3].split(','), sys.argv[4].split(',')
prefix = 'tensorflow/include/'
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.endswith('/'):
            continue
        inner = name[len(prefix):] if name.startswith(prefix) else ''
        if any(inner.startswith(header) for header in headers):
            target = os.path.join(deps, 'include', inner)
        elif os.path.basename(name) in libraries:
            target = os.path.join(deps, 'lib', os.path.basename(name))
        else:
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(name) as source, open(target, 'wb') as sink:
            shutil.copyfileobj(source, sink)
`;
  run('python3', ['-c', script, wheel, deps, HEADERS.join(','), LIBRARIES.join(',')]);
  for (const library of LIBRARIES) {
    const name = library.replace('_cc', '').replace('.so.2', '');
    for (const suffix of ['.so', '.so.2', '.so.2.9.1']) {
      const link = join(deps, 'lib', `${name}${suffix}`);
      if (!existsSync(link)) symlinkSync(library, link);
    }
  }
}

/** Compiles the package's addon with whatever node-pre-gyp it came with. */
function compile(): void {
  say('compiling the addon');
  const tool = [join(PACKAGE, 'node_modules', '.bin'), join(ROOT, 'node_modules', '.bin')]
    .map((dir) => join(dir, 'node-pre-gyp'))
    .find((file) => existsSync(file));
  if (tool === undefined) throw new Error('node-pre-gyp is not installed beside @tensorflow/tfjs-node');
  const headers = nodeHeaders();
  const args = [
    'install',
    '--build-from-source',
    '--loglevel=error',
    ...(headers ? [`--nodedir=${headers}`] : []),
  ];
  run(process.execPath, [tool, ...args], PACKAGE, { ...process.env, npm_config_node_gyp: nodeGyp() });
}

/** npm brings a node-gyp of its own, and names it only to the install scripts it runs. */
function nodeGyp(): string {
  const npm = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  return join(dirname(realpathSync(npm)), '..', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
}

/** A folder with Node's headers that is here already; any version does, the addon uses the stable Node-API only. */
function nodeHeaders(): string | null {
  const places = [dirname(dirname(process.execPath)), '/usr', '/usr/local'];
  return places.find((place) => existsSync(join(place, 'include', 'node', 'node_api.h'))) ?? null;
}

if (process.platform !== 'linux' || process.arch !== 'x64') {
  say(`${process.platform}-${process.arch} is not served; the WebAssembly backend needs nothing`);
} else if (works()) {
  say('the native backend works already');
} else {
  const startedMs = Date.now();
  if (!existsSync(join(PACKAGE, 'package.json'))) installPackage();
  unpack(fetchWheel());
  compile();
  if (!works()) throw new Error('the addon was compiled but does not compute');
  say(`the native backend works (${Math.round((Date.now() - startedMs) / 1000)} s)`);
}
