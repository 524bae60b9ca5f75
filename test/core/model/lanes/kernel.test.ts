// The compiled kernel is what its source says, and its functions are as near to the exact ones as they state.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileKernel, KERNEL_FILE } from '../../../../scripts/kernel.ts';

const PROBE = `
import { exp4, logOneMore4, tanh4 } from './functions';
export function tanh(at: usize): void { v128.store(at, tanh4(v128.load(at))); }
export function exp(at: usize): void { v128.store(at, exp4(v128.load(at))); }
export function logOneMore(at: usize): void { v128.store(at, logOneMore4(v128.load(at))); }
`;

interface Wasm {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

describe('the kernel', () => {
  it('is compiled from its source: `node scripts/kernel.ts` makes it anew', async () => {
    const bytes = await compileKernel();
    expect(Buffer.compare(bytes, readFileSync(KERNEL_FILE))).toBe(0);
  }, 60_000);

  it('has tanh within 4e-7, exp and ln(1 + x) within 4e-7 of themselves', async () => {
    const wasm = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly;
    const memory = new wasm.Memory({ initial: 1 });
    const instance = new wasm.Instance(new wasm.Module(await compileKernel(PROBE)), { env: { memory } });
    const probe = instance.exports as Record<'tanh' | 'exp' | 'logOneMore', (at: number) => void>;
    const lanes = new Float32Array(memory.buffer, 64, 4);
    const worst = (
      name: keyof typeof probe,
      exact: (x: number) => number,
      xs: readonly number[],
      least: number,
    ) => {
      let most = 0;
      for (const x of xs) {
        lanes.fill(x);
        probe[name](64);
        const value = exact(Math.fround(x));
        for (const found of lanes)
          most = Math.max(most, Math.abs(found - value) / Math.max(least, Math.abs(value)));
      }
      return most;
    };
    const steps = (from: number, to: number, count: number) =>
      Array.from({ length: count + 1 }, (_, i) => from + ((to - from) * i) / count);
    expect(worst('tanh', Math.tanh, [...steps(-12, 12, 20_000), 1e30, -1e30], 1)).toBeLessThan(4e-7);
    expect(worst('exp', Math.exp, [...steps(-80, 80, 5_000), ...steps(-2, 2, 20_000)], 0)).toBeLessThan(4e-7);
    const sizes = steps(-9, 9, 20_000).map((power) => 10 ** power);
    expect(worst('logOneMore', Math.log1p, [...sizes, 0], 1e-30)).toBeLessThan(4e-7);
    lanes.fill(Number.NaN);
    probe.tanh(64);
    expect([...lanes]).toEqual([NaN, NaN, NaN, NaN]);
  }, 60_000);
});
