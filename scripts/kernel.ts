// Compiles the kernel (core/model/lanes/assembly) to core/model/lanes/kernel.wasm. Whoever changes a source there runs
// `node scripts/kernel.ts`; test/core/model/lanes/kernel.test.ts holds the compiled bytes to the source.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const LANES = new URL('../core/model/lanes/', import.meta.url).pathname;
export const KERNEL_FILE = join(LANES, 'kernel.wasm');

const OPTIONS = [
  ...['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--importMemory'],
  ...['--enable', 'simd', '--enable', 'relaxed-simd', '--disable', 'bulk-memory'],
  // Vectors are passed between the sources only, never to JavaScript.
  ...['--disableWarning', '112'],
];

/**
 * The bytes that the source gives. `probe`: another source beside those of the kernel to compile in place of
 * index.ts.
 */
export async function compileKernel(probe?: string): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  const entry = probe === undefined ? 'index.ts' : 'probe.ts';
  const { error, stderr } = await asc.main([entry, '-o', 'kernel.wasm', ...OPTIONS], {
    // What is no source of the kernel is the compiler's own.
    readFile: (name, folder) => {
      if (name === 'probe.ts' && probe !== undefined) return probe;
      try {
        return readFileSync(join(LANES, 'assembly', folder, name), 'utf8');
      } catch {
        return null;
      }
    },
    writeFile: (_name, contents) => {
      bytes = typeof contents === 'string' ? Buffer.from(contents) : contents;
    },
    listFiles: () => null,
  });
  if (error !== null || bytes === undefined)
    throw new Error(`the kernel does not compile: ${error?.message ?? ''}\n${stderr.toString()}`);
  return bytes;
}

if (process.argv[1] === import.meta.filename) {
  const bytes = await compileKernel();
  writeFileSync(KERNEL_FILE, bytes);
  process.stdout.write(`${KERNEL_FILE}: ${bytes.length} bytes\n`);
}
