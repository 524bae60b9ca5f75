// A process that runs the policy of champion m1 on the embedded log in the folder given, until it is killed.
import { Reign } from '../../alerts/reign.ts';
import { openEmbeddedLog } from '../../core/log/embedded.ts';
import { Metrics } from '../../core/metrics.ts';
import { champion } from './support.ts';

const [dir = ''] = process.argv.slice(2);
const warn = (line: string) => console.error(line);
const log = openEmbeddedLog({ dir, prefix: '', clock: Date.now, warn });
await new Reign({
  ...{ log, warn, champion: champion('m1', 0), metrics: new Metrics(), clock: Date.now },
  signal: new AbortController().signal,
}).run();
