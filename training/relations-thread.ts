// The thread that fits relation heads (relations.ts): it is given its work, says how far it is, and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { fitRelations, type RelationMessage, type RelationWork } from './relations.ts';

const say = (message: RelationMessage) => parentPort?.postMessage(message);
const heads = await fitRelations(workerData as RelationWork, (done, what) =>
  say({ kind: 'progress', done, what }),
);
say({ kind: 'done', heads });
