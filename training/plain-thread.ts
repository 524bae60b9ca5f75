// The thread that fits the heads that live off no network (plain-heads.ts): it is given its work, says how far it is, and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { fitPlainHeads, type PlainMessage, type PlainWork } from './plain-heads.ts';

const say = (message: PlainMessage) => parentPort?.postMessage(message);
const heads = await fitPlainHeads(workerData as PlainWork, (done, what) =>
  say({ kind: 'progress', done, what }),
);
say({ kind: 'done', heads });
