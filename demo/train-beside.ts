// `telltale train` in a process of its own, at low priority: what it costs is paid when the live stream does not need it, and its failure
// is a line in the terminal.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { flagsFor } from '../core/given-flags.ts';
import type { Context } from '../core/service.ts';
import { LOG_SETTINGS, type Settings } from '../core/settings.ts';

const PROGRAM = new URL('../main.ts', import.meta.url).pathname;
/** As nice as a process may be that shall still get on. */
const PRIORITY = 10;
/** After a Ctrl-C, for it to end by itself. */
const STOP_MS = 10_000;
/** What it is told besides where the log is. */
const ALSO = ['catalogue', 'alertBudget', 'seed', 'maxRows', 'by', 'tfBackend'] as const;

/** Trains on all of the log; the version that became challenger, null where none did. */
export async function trainBeside(
  settings: Settings,
  { effort, note }: { readonly effort: Settings['effort']; readonly note: string },
  { signal, warn }: Pick<Context, 'signal' | 'warn'>,
): Promise<string | null> {
  const flags = flagsFor(settings, [...LOG_SETTINGS, ...ALSO]);
  const args = [PROGRAM, 'train', ...flags, `--effort=${effort}`, `--note=${note}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  let version: string | null = null;
  let trouble = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    version = /^released (\S+) as challenger$/.exec(line)?.[1] ?? version;
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line !== '') trouble = line;
  });
  const stop = () => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), STOP_MS).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (child.pid !== undefined) setPriority(child.pid, PRIORITY);
  } catch {
    // It has ended already, or the system does not let it: it is trained all the same.
  }
  try {
    await ended;
  } catch (error) {
    trouble = String(error);
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (version === null && !signal.aborted)
    warn(`no successor was trained, the model in charge goes on: ${trouble}`);
  return version;
}
