// The thread that fits relation heads (relations.ts): it is given its work, says how far it is and what came of it, and
// ends.
import { parentPort, workerData } from 'node:worker_threads';
import { TelltaleError } from '../../core/errors.ts';
import { fitRelations, type RelationMessage, type RelationWork } from './relations.ts';

const say = (message: RelationMessage) => parentPort?.postMessage(message);
try {
  const heads = await fitRelations(workerData as RelationWork, (done, what) =>
    say({ kind: 'progress', done, what }),
  );
  say({ kind: 'done', heads });
} catch (error) {
  // An error's class does not travel between threads; any other is heard as it is.
  if (!(error instanceof TelltaleError)) throw error;
  say({ kind: 'failed', code: error.code, message: error.message });
}
