// From the topic table to a log: what a topic of core/topics.ts is called and how it is laid out when it is created.
import { FIXED_TOPICS, type Topic } from '../topics.ts';
import type { Log, TopicSpec } from './log.ts';

/** How a topic is created; `partitions` is the count of all topics keyed by car. */
export function topicSpec(topic: Omit<Topic<never>, 'encode' | 'decode'>, partitions: number): TopicSpec {
  const { name, retentionMs, compacted } = topic;
  return { name, partitions: topic.partitions ?? partitions, retentionMs, compacted };
}

/** Creates the topics every deployment has, where they are not there. */
export async function createFixedTopics(log: Pick<Log, 'createTopic'>, partitions: number): Promise<void> {
  for (const topic of FIXED_TOPICS) await log.createTopic(topicSpec(topic, partitions));
}
