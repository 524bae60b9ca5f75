// A mend of kafkajs. After each answer its request queue sets a timer to look for requests that wait, even when none
// does, and sets it anew when it rings: each idle connection wakes the process every millisecond for ever, with a delay
// that lies before 1970 and so is warned of (TimeoutNegativeWarning). Here it is set only while requests wait.
import { createRequire } from 'node:module';
import { invariant } from '../errors.ts';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
  readonly prototype: RequestQueue;
};
const schedule = prototype.scheduleCheckPendingRequests;
invariant(
  typeof schedule === 'function',
  'this version of kafkajs queues requests otherwise; 2.2.4 is needed',
);

prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
  if (this.pending.length > 0) schedule.call(this);
};
