// How an error that ends a command is printed.
import type { TelltaleError } from './errors.ts';
import { printableLine } from './printable.ts';

/** These list every fault at once, one a line; every other message is one line, whatever a file or a server put into it. */
const LISTS = new Set(['CONFIG_INVALID', 'SCENARIO_INVALID']);

export function errorText({ code, message }: TelltaleError): string {
  const lines = LISTS.has(code) ? message.split('\n') : [message];
  return `telltale: ${code}: ${lines.map(printableLine).join('\n')}`;
}
