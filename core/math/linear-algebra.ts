// Small dense matrices for fitting: row-major Float64Array of n × n. Double precision, because covariances of hundreds
// of features are close to singular.
import { invariant } from '../errors.ts';

/** Σ a[from + k]·b[to + k] for k < n; in four sums, so that none waits for the one before. */
export function dot(
  a: Float64Array,
  from: number,
  b: Float64Array | Float32Array,
  to: number,
  n: number,
): number {
  const whole = n - (n % 4);
  let w = 0;
  let x = 0;
  let y = 0;
  let z = 0;
  for (let k = 0; k < whole; k += 4) {
    w += a[from + k]! * b[to + k]!;
    x += a[from + k + 1]! * b[to + k + 1]!;
    y += a[from + k + 2]! * b[to + k + 2]!;
    z += a[from + k + 3]! * b[to + k + 3]!;
  }
  for (let k = whole; k < n; k += 1) w += a[from + k]! * b[to + k]!;
  return w + x + (y + z);
}

/** Lower Cholesky factor L of a symmetric positive definite matrix (A = L·Lᵀ); a pivot below `floor` becomes `floor`. */
export function cholesky(a: Float64Array, n: number, floor = 1e-12): Float64Array {
  invariant(a.length === n * n, 'cholesky: the matrix is not n × n');
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      const sum = a[i * n + j]! - dot(l, i * n, l, j * n, j);
      if (i === j) l[i * n + i] = Math.sqrt(Math.max(sum, floor));
      else l[i * n + j] = sum / l[j * n + j]!;
    }
  }
  return l;
}

/** Solves A·X = B for symmetric positive definite A; B is n × m and is overwritten with X. */
export function solveSpd(a: Float64Array, n: number, b: Float64Array, m: number): Float64Array {
  const l = cholesky(a, n);
  for (let i = 0; i < n; i += 1) {
    for (let k = 0; k < i; k += 1) {
      const f = l[i * n + k]!;
      if (f === 0) continue;
      for (let c = 0; c < m; c += 1) b[i * m + c]! -= f * b[k * m + c]!;
    }
    for (let c = 0; c < m; c += 1) b[i * m + c]! /= l[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i -= 1) {
    for (let k = i + 1; k < n; k += 1) {
      const f = l[k * n + i]!;
      if (f === 0) continue;
      for (let c = 0; c < m; c += 1) b[i * m + c]! -= f * b[k * m + c]!;
    }
    for (let c = 0; c < m; c += 1) b[i * m + c]! /= l[i * n + i]!;
  }
  return b;
}

/**
 * target[to + c] += w·source[from + c] + x·source[from + n + c] + …, for c < count and four rows of the source, n wide:
 * going over the target is what costs.
 */
export function addFour(
  target: Float64Array,
  to: number,
  w: number,
  x: number,
  y: number,
  z: number,
  source: Float64Array,
  from: number,
  n: number,
  count: number,
): void {
  const second = from + n;
  const third = second + n;
  const fourth = third + n;
  for (let c = 0; c < count; c += 1)
    target[to + c]! +=
      w * source[from + c]! + x * source[second + c]! + (y * source[third + c]! + z * source[fourth + c]!);
}

/**
 * Inverse of a symmetric positive definite matrix: A⁻¹ = L⁻ᵀ·L⁻¹, where only the lower halves are computed and every
 * inner loop runs along a row.
 */
export function invertSpd(a: Float64Array, n: number): Float64Array {
  return invertNested(a, n, n).whole;
}

/** The inverse of the leading m × m of a symmetric positive definite matrix on the way to that of the whole: they share L⁻¹. */
export function invertNested(
  a: Float64Array,
  n: number,
  m: number,
): { readonly leading: Float64Array; readonly whole: Float64Array } {
  const lower = invertLower(cholesky(a, n), n);
  const whole = new Float64Array(n * n);
  addGramOfRows(whole, lower, n, 0, m);
  if (m === n) {
    mirror(whole, n);
    return { leading: whole, whole };
  }
  const leading = new Float64Array(m * m);
  for (let i = 0; i < m; i += 1) leading.set(whole.subarray(i * n, i * n + m), i * m);
  addGramOfRows(whole, lower, n, m, n);
  mirror(leading, m);
  mirror(whole, n);
  return { leading, whole };
}

/** L⁻¹ of a lower triangular matrix. */
function invertLower(l: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    const line = i * n;
    inverse[line + i] = 1;
    const whole = i - (i % 4);
    // Rows reach to their diagonal and are 0 behind it.
    for (let k = 0; k < whole; k += 4)
      addFour(
        inverse,
        line,
        -l[line + k]!,
        -l[line + k + 1]!,
        -l[line + k + 2]!,
        -l[line + k + 3]!,
        inverse,
        k * n,
        n,
        k + 4,
      );
    for (let k = whole; k < i; k += 1)
      for (let c = 0; c <= k; c += 1) inverse[line + c]! -= l[line + k]! * inverse[k * n + c]!;
    const pivot = l[line + i]!;
    for (let c = 0; c <= i; c += 1) inverse[line + c]! /= pivot;
  }
  return inverse;
}

/** out += Mᵀ·M, its lower half, of rows `from` to `to` of a lower triangular matrix. */
function addGramOfRows(out: Float64Array, lower: Float64Array, n: number, from: number, to: number): void {
  const whole = to - ((to - from) % 4);
  for (let k = from; k < whole; k += 4)
    for (let i = 0; i < k + 4; i += 1) {
      const at = k * n + i;
      addFour(
        out,
        i * n,
        lower[at]!,
        lower[at + n]!,
        lower[at + 2 * n]!,
        lower[at + 3 * n]!,
        lower,
        k * n,
        n,
        i + 1,
      );
    }
  for (let k = whole; k < to; k += 1)
    for (let i = 0; i <= k; i += 1)
      for (let j = 0; j <= i; j += 1) out[i * n + j]! += lower[k * n + i]! * lower[k * n + j]!;
}

/** Fills the upper half with the lower one. */
function mirror(out: Float64Array, n: number): void {
  for (let i = 0; i < n; i += 1) for (let j = 0; j < i; j += 1) out[j * n + i] = out[i * n + j]!;
}

/**
 * Covariance shrunk towards a scaled identity, Ledoit & Wolf (2004), "A well-conditioned estimator for
 * large-dimensional covariance matrices". `rows` is count × d; the rows' mean is NOT taken off (residuals are judged
 * against zero). `effective`: independent rows, where neighbours repeat each other; it takes the place of count in the
 * shrinkage.
 */
export function ledoitWolf(rows: Float64Array, count: number, d: number, effective = count): Float64Array {
  const s = new Float64Array(d * d);
  let fourth = 0;
  for (let i = 0; i < count; i += 1) {
    let norm = 0;
    for (let a = 0; a < d; a += 1) {
      const x = rows[i * d + a]!;
      norm += x * x;
      for (let b = 0; b <= a; b += 1) s[a * d + b]! += x * rows[i * d + b]!;
    }
    fourth += norm * norm;
  }
  let trace = 0;
  let squared = 0;
  for (let a = 0; a < d; a += 1) {
    for (let b = 0; b <= a; b += 1) {
      const value = s[a * d + b]! / Math.max(1, count);
      s[a * d + b] = value;
      s[b * d + a] = value;
      squared += a === b ? value * value : 2 * value * value;
    }
    trace += s[a * d + a]!;
  }
  const mu = trace / d;
  const distance = squared - d * mu * mu;
  const spread = Math.max(0, fourth / Math.max(1, count) - squared) / Math.max(1, effective);
  const shrink = distance <= 0 ? 1 : Math.min(1, spread / distance);
  for (let i = 0; i < d * d; i += 1) s[i]! *= 1 - shrink;
  for (let a = 0; a < d; a += 1) s[a * d + a]! += shrink * mu + 1e-9;
  return s;
}

export interface Eigen {
  /** Descending. */
  readonly values: Float64Array;
  /** Eigenvector k in row k, n × n. */
  readonly vectors: Float64Array;
}

/** Eigenvalues and -vectors of a symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan, §8.5), at most 60 sweeps. */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  const a = matrix.slice();
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 60; sweep += 1) {
    let off = 0;
    for (let p = 0; p < n; p += 1) for (let q = p + 1; q < n; q += 1) off += a[p * n + q]! ** 2;
    if (off < 1e-18) break;
    for (let p = 0; p < n; p += 1) for (let q = p + 1; q < n; q += 1) rotate(a, v, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j]! - a[i * n + i]!);
  const values = new Float64Array(n);
  const vectors = new Float64Array(n * n);
  order.forEach((from, k) => {
    values[k] = a[from * n + from]!;
    vectors.set(v.subarray(from * n, from * n + n), k * n);
  });
  return { values, vectors };
}

function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!;
  if (Math.abs(apq) < 1e-300) return;
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < n; k += 1) {
    const kp = a[k * n + p]!;
    const kq = a[k * n + q]!;
    a[k * n + p] = c * kp - s * kq;
    a[k * n + q] = s * kp + c * kq;
  }
  for (let k = 0; k < n; k += 1) {
    const pk = a[p * n + k]!;
    const qk = a[q * n + k]!;
    a[p * n + k] = c * pk - s * qk;
    a[q * n + k] = s * pk + c * qk;
    const vp = v[p * n + k]!;
    const vq = v[q * n + k]!;
    v[p * n + k] = c * vp - s * vq;
    v[q * n + k] = s * vp + c * vq;
  }
}
