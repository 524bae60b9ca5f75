// What strangers say, made fit to be printed: a client id, a topic, a header or a cell of a file must neither write lines of
// its own into an operator's log nor play with the terminal. One place, for every line that quotes one.

/** Longest quotation of a stranger's text in a line, characters. */
const MAX_QUOTED = 200;
/**
 * Control characters (ESC begins a terminal's commands), format characters (bidi controls swap what is read), line and
 * paragraph separators, halves of surrogate pairs, private and unassigned characters, and the mark of bytes that were no text.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\ufffd]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** As JSON writes it, where JSON has a way. */
function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16).padStart(4, '0');
  return SHORT[character] ?? (hex.length > 4 ? `\\u{${hex}}` : `\\u${hex}`);
}

function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}…`;
}

/** A stranger's text in one line, escaped where it is no plain text, and at most so long. */
export function printable(text: unknown, maxLength = MAX_QUOTED): string {
  // Cut first: nobody's megabyte is searched for what would not be shown.
  return cut(cut(String(text), maxLength).replace(UNPRINTABLE, escaped), 2 * maxLength);
}

/** A line of the program's own, of any length, with whatever strangers' text may have got into it. */
export function printableLine(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}
