// What leaves training can be read: a bundle goes through the text it travels as and is checked and made ready to run
// exactly as the scorer does it, before anybody is told that it was written or released.
import { messageOf, TelltaleError } from '../../core/errors.ts';
import type { NewRecord } from '../../core/log/log.ts';
import { checkBundle, type ModelBundle } from '../../core/model/bundle.ts';
import { createDetector } from '../../core/model/detector.ts';
import { readReleases } from '../../core/model/releases.ts';
import { modelsTopic } from '../../core/topics.ts';

/** The bundle as it comes back from its JSON. @throws TelltaleError MODEL_INVALID */
export function readBack(bundle: ModelBundle, source: string): ModelBundle {
  return refusing(() => {
    const read = checkBundle(JSON.parse(JSON.stringify(bundle)), source);
    createDetector(read);
    return read;
  });
}

/**
 * Refuses records of a release whose bundle those who follow the releases could not read.
 * @param records in the order in which they will stand in the log
 * @throws TelltaleError MODEL_INVALID
 */
export async function readBackRelease(records: readonly NewRecord[], version: string): Promise<void> {
  const read = async function* () {
    yield {
      ...{ topic: modelsTopic.name, partition: 0, highWatermark: records.length },
      records: records.map(({ key, value }, offset) => ({ key, value, offset, timestampMs: 0 })),
    };
  };
  const book = await readReleases({ read });
  refusing(() => checkBundle(book.releases.get(version)?.bundle, `model ${version}`));
}

function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    throw new TelltaleError(
      'MODEL_INVALID',
      `what was trained cannot be read back and is not released: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
