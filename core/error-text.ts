// How an error that ends a command is printed.
import { type ErrorCode, fileFault, TelltaleError } from './errors.ts';
import { printableLine } from './printable.ts';

/** These list every fault at once, one a line; every other message is one line, whatever a file or a server put into it. */
const LISTS = new Set(['CONFIG_INVALID', 'SCENARIO_INVALID']);

/** The text of an error from outside; null of any other, which is the program's own and printed whole. */
export function errorText(error: unknown): string | null {
  const file = fileFault(error);
  if (file) return textOf('FILE_UNUSABLE', `${file.path}: ${file.what}`);
  return error instanceof TelltaleError ? textOf(error.code, error.message) : null;
}

function textOf(code: ErrorCode, message: string): string {
  const lines = LISTS.has(code) ? message.split('\n') : [message];
  return `telltale: ${code}: ${lines.map(printableLine).join('\n')}`;
}
