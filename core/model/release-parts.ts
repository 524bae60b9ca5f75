// A bundle too large for one record travels as several: gzip of its JSON, cut, each part a record of its own before the
// release that names their count. All stand in the one partition of `models`, so whoever reads the release has read its
// parts, and a release that failed half-way left parts that no release names. Brokers need no other limits than those
// they come with.
import { gunzipSync, gzipSync } from 'node:zlib';
import { messageOf, TelltaleError } from '../errors.ts';
import type { ModelRelease } from '../events.ts';
import { MAX_RECORD_BYTES } from '../log/log.ts';

export type Part = Extract<ModelRelease, { kind: 'part' }>;

/** What base64 and the record's own fields leave of a record. */
const PART_BYTES = Math.floor(((MAX_RECORD_BYTES - 10_000) * 3) / 4);
/** 64 parts are 47 MB, hundreds of signals; more is a fault of whoever trained it. */
const MAX_PARTS = 64;

export const partKey = ({ version, index }: Pick<Part, 'version' | 'index'>): string =>
  `part/${version}/${index}`;

/** @throws TelltaleError LOG_RECORD_TOO_LARGE past 64 parts */
export function partsOf(version: string, bundleJson: string): Part[] {
  const bytes = gzipSync(bundleJson);
  const count = Math.ceil(bytes.length / PART_BYTES);
  if (count > MAX_PARTS)
    throw new TelltaleError(
      'LOG_RECORD_TOO_LARGE',
      `model ${version} takes ${bytes.length} bytes; ${MAX_PARTS * PART_BYTES} can be released`,
    );
  return Array.from({ length: count }, (_, index) => ({
    kind: 'part',
    version,
    index,
    gzipBase64: bytes.subarray(index * PART_BYTES, (index + 1) * PART_BYTES).toString('base64'),
  }));
}

/** Parts read so far, until their release takes them. */
export class PartsBox {
  readonly #versions = new Map<string, Map<number, Part>>();

  add(part: Part): void {
    const parts = this.#versions.get(part.version) ?? new Map<number, Part>();
    this.#versions.set(part.version, parts.set(part.index, part));
  }

  /** The bundle of a version, unchecked. @throws TelltaleError MODEL_INVALID when a part is missing or damaged */
  take(version: string, count: number): unknown {
    const parts = this.#versions.get(version);
    this.#versions.delete(version);
    const pieces = Array.from({ length: count }, (_, index) => {
      const part = parts?.get(index);
      if (!part)
        throw new TelltaleError('MODEL_INVALID', `damaged: part ${index + 1} of ${count} is not in the log`);
      return Buffer.from(part.gzipBase64, 'base64');
    });
    try {
      return JSON.parse(gunzipSync(Buffer.concat(pieces)).toString());
    } catch (cause) {
      throw new TelltaleError('MODEL_INVALID', `damaged: ${messageOf(cause)}`, { cause });
    }
  }
}
