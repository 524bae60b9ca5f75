// How a fault of a recording is worded: it names the file, and nothing out of the file reaches a terminal unescaped or at length.
import { messageOf, TelltaleError } from './errors.ts';
import { printable } from './printable.ts';

/** Characters of a cell that a message shows. */
const MOST_SHOWN = 40;
/** Names that a message lists. */
const MOST_LISTED = 20;

/** What is wrong with a recording, as an error that names the file. */
export function fault(file: string, what: string, cause?: unknown): TelltaleError {
  return new TelltaleError('RECORDING_INVALID', `${file}: ${what}`, { cause });
}

/** What went wrong while a file was read: a fault of its own passes, anything else becomes one. */
export function asFault(file: string, cause: unknown): TelltaleError {
  if (cause instanceof TelltaleError) return cause;
  const { code } = cause as { code?: string };
  if (code === 'Z_BUF_ERROR') return fault(file, 'is a gzip file that ends early: copy it again', cause);
  if (code?.startsWith('Z_')) return fault(file, `is a damaged gzip file (${messageOf(cause)})`, cause);
  return fault(file, messageOf(cause), cause);
}

/** A text of the file, fit for a terminal: control characters as escapes, cut when it is long. */
export function shown(text: string): string {
  return printable(text, MOST_SHOWN);
}

/** Names, the first of them when there are many. */
export function listed(names: readonly string[], most = MOST_LISTED): string {
  const more = names.length - most;
  const some = more <= 1 ? names : names.slice(0, most);
  return some.map(shown).join(', ') + (more <= 1 ? '' : ` and ${more} more`);
}
