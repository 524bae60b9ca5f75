// A recording's file: plain or gzip, its delimiter, its header, and its records one by one as text.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { type CsvError, parse } from 'csv-parse';
import { messageOf, TelltaleError } from './errors.ts';

/** What is wrong with a recording, as an error that names the file. */
export function fault(file: string, what: string, cause?: unknown): TelltaleError {
  return new TelltaleError('RECORDING_INVALID', `${file}: ${what}`, { cause });
}

async function isGzip(file: string): Promise<boolean> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw fault(file, messageOf(cause), cause);
  }
}

async function openBytes(file: string): Promise<NodeJS.ReadableStream> {
  const gzip = await isGzip(file);
  const source = createReadStream(file);
  if (!gzip) return source;
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  // Whoever stops half-way ends the last of the two only.
  gunzip.once('close', () => source.destroy());
  return source.pipe(gunzip);
}

/** The delimiter that splits the first line into the most cells: comma, semicolon or tab. */
export async function detectDelimiter(file: string): Promise<string> {
  let head = '';
  try {
    for await (const chunk of await openBytes(file)) {
      head += chunk.toString();
      if (head.includes('\n') || head.length > 1_000_000) break;
    }
  } catch (cause) {
    throw cause instanceof TelltaleError ? cause : fault(file, messageOf(cause), cause);
  }
  const line = head.split('\n', 1)[0] ?? '';
  const cells = (delimiter: string) => line.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, next) => (cells(next) > cells(best) ? next : best));
}

/** The names in the first line, each once; empty where a column has none, as the row numbers that some tools write. */
export async function readHeader(file: string, delimiter: string): Promise<readonly string[]> {
  for await (const { record } of records(file, delimiter, 1)) {
    const header = record.map((name) => name.trim());
    const twice = header.find((name, i) => name !== '' && header.indexOf(name) !== i);
    if (twice !== undefined) throw fault(file, `line 1: column "${twice}" stands twice`);
    return header;
  }
  throw fault(file, 'is empty');
}

export interface RawRecord {
  /** Cells as they stand in the file. */
  readonly record: readonly string[];
  /** Line in the file, 1 = header. */
  readonly line: number;
}

/** Raw records; `fromLine` 1 includes the header. */
export async function* records(file: string, delimiter: string, fromLine = 2): AsyncGenerator<RawRecord> {
  const source = await openBytes(file);
  const parser = parse({
    delimiter,
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    from_line: fromLine,
    info: true,
  });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      yield { record, line: info.lines };
    }
  } catch (cause) {
    const line = (cause as CsvError).lines;
    throw fault(file, `${typeof line === 'number' ? `line ${line}: ` : ''}${messageOf(cause)}`, cause);
  } finally {
    (source as { destroy?: () => void }).destroy?.();
  }
}
