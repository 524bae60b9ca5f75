// The embedded log under the contract.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logContract } from './log-contract.ts';

const dir = mkdtempSync(join(tmpdir(), 'telltale-log-'));

logContract(
  'embedded',
  async () => ({ where: { kind: 'embedded', dir }, compactsAtOnce: true, takeOverMs: 6000 }),
  async () => rmSync(dir, { recursive: true, force: true }),
);
