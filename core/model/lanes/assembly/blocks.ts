// Blocks of a matrix: four to six outputs summed together, enough to hide how long an addition takes, for one vector
// of cars or for a pair. matrix.ts says how a block is packed. Each lane of each output is summed in the order of the
// inputs, alone or in a pair.
import { madd } from './vector';

export function four(input: usize, inputs: i32, pack: usize, to: usize): usize {
  let at = pack;
  let a = v128.load32_splat(at);
  let b = v128.load32_splat(at, 4);
  let c = v128.load32_splat(at, 8);
  let d = v128.load32_splat(at, 12);
  at += 16;
  const end = at + 20 * <usize>inputs;
  while (at < end) {
    const place = input + load<u32>(at);
    const x = v128.load(place);
    a = madd(x, v128.load32_splat(at, 4), a);
    b = madd(x, v128.load32_splat(at, 8), b);
    c = madd(x, v128.load32_splat(at, 12), c);
    d = madd(x, v128.load32_splat(at, 16), d);
    at += 20;
  }
  v128.store(to, a);
  v128.store(to, b, 32);
  v128.store(to, c, 64);
  v128.store(to, d, 96);
  return at;
}

export function five(input: usize, inputs: i32, pack: usize, to: usize): usize {
  let at = pack;
  let a = v128.load32_splat(at);
  let b = v128.load32_splat(at, 4);
  let c = v128.load32_splat(at, 8);
  let d = v128.load32_splat(at, 12);
  let e = v128.load32_splat(at, 16);
  at += 20;
  const end = at + 24 * <usize>inputs;
  while (at < end) {
    const place = input + load<u32>(at);
    const x = v128.load(place);
    a = madd(x, v128.load32_splat(at, 4), a);
    b = madd(x, v128.load32_splat(at, 8), b);
    c = madd(x, v128.load32_splat(at, 12), c);
    d = madd(x, v128.load32_splat(at, 16), d);
    e = madd(x, v128.load32_splat(at, 20), e);
    at += 24;
  }
  v128.store(to, a);
  v128.store(to, b, 32);
  v128.store(to, c, 64);
  v128.store(to, d, 96);
  v128.store(to, e, 128);
  return at;
}

export function six(input: usize, inputs: i32, pack: usize, to: usize): usize {
  let at = pack;
  let a = v128.load32_splat(at);
  let b = v128.load32_splat(at, 4);
  let c = v128.load32_splat(at, 8);
  let d = v128.load32_splat(at, 12);
  let e = v128.load32_splat(at, 16);
  let f = v128.load32_splat(at, 20);
  at += 24;
  const end = at + 28 * <usize>inputs;
  while (at < end) {
    const place = input + load<u32>(at);
    const x = v128.load(place);
    a = madd(x, v128.load32_splat(at, 4), a);
    b = madd(x, v128.load32_splat(at, 8), b);
    c = madd(x, v128.load32_splat(at, 12), c);
    d = madd(x, v128.load32_splat(at, 16), d);
    e = madd(x, v128.load32_splat(at, 20), e);
    f = madd(x, v128.load32_splat(at, 24), f);
    at += 28;
  }
  v128.store(to, a);
  v128.store(to, b, 32);
  v128.store(to, c, 64);
  v128.store(to, d, 96);
  v128.store(to, e, 128);
  v128.store(to, f, 160);
  return at;
}

export function fourPairs(input: usize, inputs: i32, pack: usize, to: usize): usize {
  let at = pack;
  let a = v128.load32_splat(at);
  let b = v128.load32_splat(at, 4);
  let c = v128.load32_splat(at, 8);
  let d = v128.load32_splat(at, 12);
  let a2 = a;
  let b2 = b;
  let c2 = c;
  let d2 = d;
  at += 16;
  const end = at + 20 * <usize>inputs;
  while (at < end) {
    const place = input + load<u32>(at);
    const x = v128.load(place);
    const x2 = v128.load(place, 16);
    const aWeight = v128.load32_splat(at, 4);
    a = madd(x, aWeight, a);
    a2 = madd(x2, aWeight, a2);
    const bWeight = v128.load32_splat(at, 8);
    b = madd(x, bWeight, b);
    b2 = madd(x2, bWeight, b2);
    const cWeight = v128.load32_splat(at, 12);
    c = madd(x, cWeight, c);
    c2 = madd(x2, cWeight, c2);
    const dWeight = v128.load32_splat(at, 16);
    d = madd(x, dWeight, d);
    d2 = madd(x2, dWeight, d2);
    at += 20;
  }
  v128.store(to, a);
  v128.store(to, a2, 16);
  v128.store(to, b, 32);
  v128.store(to, b2, 48);
  v128.store(to, c, 64);
  v128.store(to, c2, 80);
  v128.store(to, d, 96);
  v128.store(to, d2, 112);
  return at;
}

export function fivePairs(input: usize, inputs: i32, pack: usize, to: usize): usize {
  let at = pack;
  let a = v128.load32_splat(at);
  let b = v128.load32_splat(at, 4);
  let c = v128.load32_splat(at, 8);
  let d = v128.load32_splat(at, 12);
  let e = v128.load32_splat(at, 16);
  let a2 = a;
  let b2 = b;
  let c2 = c;
  let d2 = d;
  let e2 = e;
  at += 20;
  const end = at + 24 * <usize>inputs;
  while (at < end) {
    const place = input + load<u32>(at);
    const x = v128.load(place);
    const x2 = v128.load(place, 16);
    const aWeight = v128.load32_splat(at, 4);
    a = madd(x, aWeight, a);
    a2 = madd(x2, aWeight, a2);
    const bWeight = v128.load32_splat(at, 8);
    b = madd(x, bWeight, b);
    b2 = madd(x2, bWeight, b2);
    const cWeight = v128.load32_splat(at, 12);
    c = madd(x, cWeight, c);
    c2 = madd(x2, cWeight, c2);
    const dWeight = v128.load32_splat(at, 16);
    d = madd(x, dWeight, d);
    d2 = madd(x2, dWeight, d2);
    const eWeight = v128.load32_splat(at, 20);
    e = madd(x, eWeight, e);
    e2 = madd(x2, eWeight, e2);
    at += 24;
  }
  v128.store(to, a);
  v128.store(to, a2, 16);
  v128.store(to, b, 32);
  v128.store(to, b2, 48);
  v128.store(to, c, 64);
  v128.store(to, c2, 80);
  v128.store(to, d, 96);
  v128.store(to, d2, 112);
  v128.store(to, e, 128);
  v128.store(to, e2, 144);
  return at;
}

export function sixPairs(input: usize, inputs: i32, pack: usize, to: usize): usize {
  let at = pack;
  let a = v128.load32_splat(at);
  let b = v128.load32_splat(at, 4);
  let c = v128.load32_splat(at, 8);
  let d = v128.load32_splat(at, 12);
  let e = v128.load32_splat(at, 16);
  let f = v128.load32_splat(at, 20);
  let a2 = a;
  let b2 = b;
  let c2 = c;
  let d2 = d;
  let e2 = e;
  let f2 = f;
  at += 24;
  const end = at + 28 * <usize>inputs;
  while (at < end) {
    const place = input + load<u32>(at);
    const x = v128.load(place);
    const x2 = v128.load(place, 16);
    const aWeight = v128.load32_splat(at, 4);
    a = madd(x, aWeight, a);
    a2 = madd(x2, aWeight, a2);
    const bWeight = v128.load32_splat(at, 8);
    b = madd(x, bWeight, b);
    b2 = madd(x2, bWeight, b2);
    const cWeight = v128.load32_splat(at, 12);
    c = madd(x, cWeight, c);
    c2 = madd(x2, cWeight, c2);
    const dWeight = v128.load32_splat(at, 16);
    d = madd(x, dWeight, d);
    d2 = madd(x2, dWeight, d2);
    const eWeight = v128.load32_splat(at, 20);
    e = madd(x, eWeight, e);
    e2 = madd(x2, eWeight, e2);
    const fWeight = v128.load32_splat(at, 24);
    f = madd(x, fWeight, f);
    f2 = madd(x2, fWeight, f2);
    at += 28;
  }
  v128.store(to, a);
  v128.store(to, a2, 16);
  v128.store(to, b, 32);
  v128.store(to, b2, 48);
  v128.store(to, c, 64);
  v128.store(to, c2, 80);
  v128.store(to, d, 96);
  v128.store(to, d2, 112);
  v128.store(to, e, 128);
  v128.store(to, e2, 144);
  v128.store(to, f, 160);
  v128.store(to, f2, 176);
  return at;
}
