// What strangers say, made fit to be printed: a client id, a topic, a header or a cell of a file must neither write lines of
// its own into an operator's log nor play with the terminal. One place, for every line that quotes one.

/** Longest quotation of a stranger's text in a line, characters. */
const MAX_QUOTED = 200;
/** Longest line of the log, characters: whatever was put together into it. */
const MAX_LINE = 4000;

/**
 * Control characters (ESC begins a terminal's commands), format characters (bidi controls swap what is read), line and
 * paragraph separators, halves of surrogate pairs, private and unassigned characters.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;
const UNPRINTABLE_IN_LINES = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return SHORT[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 4)}}`);
}

const hex = (code: number, width: number) => code.toString(16).padStart(width, '0');

function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}…`;
}

/** A stranger's text in one line, escaped where it is no plain text, and at most so long. */
export function printable(text: unknown, maxLength = MAX_QUOTED): string {
  // Cut first: nobody's megabyte is searched for what would not be shown.
  return cut(cut(String(text), maxLength).replace(UNPRINTABLE, escaped), 2 * maxLength);
}

/** A whole message for the terminal: its own line breaks stay, everything else that is no plain text is escaped. */
export function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => cut(line, MAX_LINE).replace(UNPRINTABLE_IN_LINES, escaped))
    .join('\n');
}
