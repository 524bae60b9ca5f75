// Inverse of a small symmetric positive definite matrix, for what is compiled while scoring. Training has faster and
// larger ones.

/** A pivot below this share of its diagonal is taken as this: what is nearly known already says nothing more. */
const LEAST_PIVOT = 1e-9;

/** The inverse of `a` (n × n, row-major), by its Cholesky factor. */
export function invertSmall(a: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1)
    for (let j = 0; j <= i; j += 1) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k += 1) sum -= l[i * n + k]! * l[j * n + k]!;
      if (i !== j) l[i * n + j] = sum / l[j * n + j]!;
      else l[i * n + i] = Math.sqrt(Math.max(sum, LEAST_PIVOT * a[i * n + i]!, Number.MIN_VALUE));
    }
  const out = new Float64Array(n * n);
  const column = new Float64Array(n);
  for (let c = 0; c < n; c += 1) {
    for (let i = 0; i < n; i += 1) {
      let sum = i === c ? 1 : 0;
      for (let k = c; k < i; k += 1) sum -= l[i * n + k]! * column[k]!;
      column[i] = i < c ? 0 : sum / l[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i -= 1) {
      let sum = column[i]!;
      for (let k = i + 1; k < n; k += 1) sum -= l[k * n + i]! * out[k * n + c]!;
      out[i * n + c] = sum / l[i * n + i]!;
    }
  }
  return out;
}
