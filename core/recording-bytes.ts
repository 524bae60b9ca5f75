// A recording's bytes as UTF-8 text: unpacked when they are gzip, decoded when they are of another encoding, and told from files
// that are no text at all (archives, workbooks, databases), of which nothing is read and nothing is shown.
import { isAscii } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { asFault, fault } from './recording-fault.ts';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** Bytes from which encoding, delimiter and header are told. */
const HEAD_BYTES = 262_144;

const UNPACK = 'unpack it and name the CSV file inside';
const EXPORT = 'export it as CSV';

/** Files that are no text, by how they begin (latin1). The first that fits counts. */
const OTHERS: readonly (readonly [begins: string | RegExp, what: string, next: string])[] = [
  [
    /^PK[^ -~][\s\S]{0,4000}(?:\[Content_Types\]\.xml|xl\/|mimetype)/,
    'a workbook (xlsx, ods)',
    'save it as CSV',
  ],
  [/^PK[^ -~][^ -~]/, 'a zip archive', UNPACK],
  ['7z\u00bc\u00af', 'a 7z archive', UNPACK],
  ['Rar!', 'a rar archive', UNPACK],
  [/^[\s\S]{257}ustar/, 'a tar archive', UNPACK],
  ['\u0028\u00b5\u002f\u00fd', 'compressed with zstd', UNPACK],
  ['\u00fd7zXZ', 'compressed with xz', UNPACK],
  [/^BZh\d/, 'compressed with bzip2', UNPACK],
  ['\u0004\u0022\u004d\u0018', 'compressed with lz4', UNPACK],
  ['\u001f\u008b', 'gzip within gzip', UNPACK],
  ['PAR1', 'a Parquet file', EXPORT],
  ['ARROW1', 'an Arrow file', EXPORT],
  ['ORC\n', 'an ORC file', EXPORT],
  ['Obj\u0001', 'an Avro file', EXPORT],
  ['\u0089HDF', 'an HDF5 file (MATLAB, pandas)', EXPORT],
  ['MATLAB 5', 'a MATLAB file', EXPORT],
  [/^(?:MDF {5}|UnFinMF)/, 'a measurement file (MDF)', EXPORT],
  ['LOGG', 'a bus log (BLF)', EXPORT],
  ['SQLite format 3', 'an SQLite database', EXPORT],
  ['\u00d0\u00cf\u0011\u00e0', 'an old workbook (xls)', 'save it as CSV'],
  ['%PDF', 'a PDF', 'find the data that it was made from'],
  [
    /^(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html)/i,
    'a web page',
    'was a login page saved in place of the file?',
  ],
  [/^(?:\xef\xbb\xbf)?\s*<(?:\?xml|[a-z]+[\s>])/i, 'XML', EXPORT],
  [
    /^(?:\xef\xbb\xbf)?\s*(?:\{[\s\S]*["}]|\[\s*[[{"])/,
    'JSON',
    'turn it into CSV with a column for each signal',
  ],
];

/** What a file is when it is no text, with what to do about it; null: it is text. */
function whatElse(head: Buffer, encoding: Encoding): string | null {
  const latin = head.toString('latin1', 0, 8192);
  const other = OTHERS.find(([begins]) =>
    typeof begins === 'string' ? latin.startsWith(begins) : begins.test(latin),
  );
  if (other) return `is ${other[1]}, not CSV: ${other[2]}`;
  // A logger whose power went leaves zeros at the end: that is a torn row, no binary file.
  return encoding.startsWith('utf-16') || !head.toString('latin1').replace(/\0+$/, '').includes('\0')
    ? null
    : 'is a binary file, not CSV: export the recording as text, one line for each row';
}

/** Encoding by the byte order mark, by the zeros of UTF-16, else UTF-8 unless the bytes are none. */
function encodingOf(head: Buffer): { readonly encoding: Encoding; readonly markBytes: number } {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', markBytes: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', markBytes: 0 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', markBytes: 0 };
  const start = head.subarray(0, 512);
  const zeros = [0, 0];
  for (const [i, byte] of start.entries()) if (byte === 0) zeros[i % 2]! += 1;
  const [even, odd] = zeros as [number, number];
  if (odd > 0.3 * start.length && even === 0) return { encoding: 'utf-16le', markBytes: 0 };
  if (even > 0.3 * start.length && odd === 0) return { encoding: 'utf-16be', markBytes: 0 };
  return { encoding: isUtf8(head) ? 'utf-8' : 'windows-1252', markBytes: 0 };
}

/** Whether bytes begin as UTF-8; a character cut at their end counts as whole. */
function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Thrown within this file's stream when a file that began as UTF-8 goes on as something else. */
export class NotUtf8 extends Error {}

/** Passes UTF-8 on as it is, other encodings as UTF-8, without the first `skipBytes` of the text. */
class TextBytes extends Transform {
  readonly #decoder: InstanceType<typeof TextDecoder>;
  readonly #encoding: Encoding;
  /** A character of UTF-8 may be cut at the end of a chunk: then the next chunk is looked at too. */
  #open = false;
  #skip: number;

  constructor(encoding: Encoding, skipBytes: number) {
    super();
    this.#encoding = encoding;
    this.#decoder = new TextDecoder(encoding, { fatal: encoding === 'utf-8' });
    this.#skip = skipBytes;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: (error: Error | null, data?: Buffer) => void) {
    let bytes = chunk;
    if (this.#encoding !== 'utf-8') bytes = Buffer.from(this.#decoder.decode(chunk, { stream: true }));
    else if (this.#open || !isAscii(chunk)) {
      try {
        this.#decoder.decode(chunk, { stream: true });
        this.#open = chunk.length > 0 && chunk[chunk.length - 1]! > 0x7f;
      } catch (cause) {
        return done(new NotUtf8('not UTF-8', { cause }));
      }
    }
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    done(null, skipped === 0 ? bytes : bytes.subarray(skipped));
  }

  override _flush(done: (error: Error | null, data?: Buffer) => void) {
    if (this.#encoding === 'utf-8') return done(null);
    done(null, Buffer.from(this.#decoder.decode()));
  }
}

async function isGzip(file: string): Promise<boolean> {
  try {
    if ((await stat(file)).isDirectory()) throw fault(file, 'is a folder: name the CSV file in it');
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw asFault(file, cause);
  }
}

async function openRaw(file: string): Promise<NodeJS.ReadableStream> {
  const gzip = await isGzip(file);
  const source = createReadStream(file);
  if (!gzip) return source;
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  // Whoever stops half-way ends the last of the two only.
  gunzip.once('close', () => source.destroy());
  return source.pipe(gunzip);
}

/** How a file's text begins. */
export interface Head {
  readonly encoding: Encoding;
  /** Text as UTF-8, without a byte order mark. */
  readonly text: Buffer;
  /** Bytes of UTF-8 before `text`: the mark. */
  readonly markBytes: number;
  /** Whether `text` is all there is. */
  readonly whole: boolean;
}

/**
 * Reads how a file begins.
 * @param encoding when it is known; otherwise it is told from the bytes
 * @throws TelltaleError RECORDING_INVALID when it cannot be read, is empty, or is no text
 */
export async function readHead(file: string, encoding?: Encoding): Promise<Head> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let whole = true;
  const source = await openRaw(file);
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes < HEAD_BYTES) continue;
      whole = false;
      break;
    }
  } catch (cause) {
    throw asFault(file, cause);
  }
  const raw = Buffer.concat(chunks);
  if (raw.length === 0) throw fault(file, 'is empty');
  const told = encodingOf(raw);
  const what = whatElse(raw, told.encoding);
  if (what !== null) throw fault(file, what);
  const known = encoding ?? told.encoding;
  const decoded =
    known === 'utf-8' ? raw : Buffer.from(new TextDecoder(known).decode(raw, { stream: !whole }));
  return { encoding: known, text: decoded.subarray(told.markBytes), markBytes: told.markBytes, whole };
}

/** A file's text as UTF-8, from a byte of it on. Fails with NotUtf8 where the text turns out not to be what it was taken for. */
export async function openText(
  file: string,
  encoding: Encoding,
  skipBytes: number,
): Promise<NodeJS.ReadableStream & { destroy(error?: Error): void }> {
  const source = await openRaw(file);
  const text = new TextBytes(encoding, skipBytes);
  source.on('error', (error) => text.destroy(error));
  text.once('close', () => (source as unknown as { destroy(): void }).destroy());
  return source.pipe(text);
}
