// Between cars and lanes: the states of cars, one after the other, become a row of slots, and go back.
import { rowOf, SLOT, used, VECTOR } from './vector';

/** Cars' floats, `stride` bytes apart from `cars` on, into a row of `count`, a multiple of 4. */
export function gather(cars: usize, stride: usize, row: usize, count: i32): void {
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const end = row + half + rowOf(count);
    let car = cars + (half >> 2) * stride;
    for (let to = row + half; to < end; to += 4 * SLOT) {
      const a = v128.load(car);
      const b = v128.load(car + stride);
      const c = v128.load(car + 2 * stride);
      const d = v128.load(car + 3 * stride);
      const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
      const abRest = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const cdRest = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
      v128.store(to, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 32);
      v128.store(to, v128.shuffle<f32>(abRest, cdRest, 0, 1, 4, 5), 64);
      v128.store(to, v128.shuffle<f32>(abRest, cdRest, 2, 3, 6, 7), 96);
      car += 16;
    }
  }
}

/** The way back. */
export function scatter(row: usize, count: i32, cars: usize, stride: usize): void {
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const end = row + half + rowOf(count);
    let car = cars + (half >> 2) * stride;
    for (let from = row + half; from < end; from += 4 * SLOT) {
      const a = v128.load(from);
      const b = v128.load(from, 32);
      const c = v128.load(from, 64);
      const d = v128.load(from, 96);
      const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
      const abRest = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const cdRest = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      v128.store(car, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
      v128.store(car + stride, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
      v128.store(car + 2 * stride, v128.shuffle<f32>(abRest, cdRest, 0, 1, 4, 5));
      v128.store(car + 3 * stride, v128.shuffle<f32>(abRest, cdRest, 2, 3, 6, 7));
      car += 16;
    }
  }
}

/** Copies the slots of `from` that `indexes` names, into a row of `count`. */
export function pick(count: i32, indexes: usize, from: usize, row: usize): void {
  for (let half: usize = 0; half < used(); half += VECTOR) {
    for (let i = 0; i < count; i += 1) {
      const index = load<i32>(indexes + ((<usize>i) << 2));
      v128.store(row + rowOf(i) + half, v128.load(from + rowOf(index) + half));
    }
  }
}
