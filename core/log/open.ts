// The one place that chooses the log: Kafka when brokers are set, the embedded one otherwise.

import type { Clock } from '../service.ts';
import type { Settings } from '../settings.ts';
import type { Log } from './log.ts';

export interface OpenOptions {
  readonly clock: Clock;
  readonly warn: (line: string) => void;
}

type LogSettings = Pick<Settings, 'dataDir' | 'kafkaBrokers' | 'kafkaReplication' | 'topicPrefix'>;

/** Opens the log that the settings name. @throws TelltaleError LOG_UNAVAILABLE */
export async function openLog(settings: LogSettings, options: OpenOptions): Promise<Log> {
  if (settings.kafkaBrokers.length > 0) {
    const { openKafkaLog } = await import('./kafka.ts');
    return openKafkaLog({
      brokers: settings.kafkaBrokers,
      replication: settings.kafkaReplication,
      prefix: settings.topicPrefix,
      ...options,
    });
  }
  const { openEmbeddedLog } = await import('./embedded.ts');
  return openEmbeddedLog({ dir: settings.dataDir, prefix: settings.topicPrefix, ...options });
}
