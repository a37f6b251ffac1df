/**
 * Length in bytes that `length` is padded to, so that at most 12 % is added and only O(log log length) bits of it leak:
 * Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019, algorithm 1.
 *
 * @param length A non-negative safe integer
 * @param minimum The least result
 */
export function padme(length: number, minimum = 0): number {
  if (length < 2) return Math.max(length, minimum);
  const exponent = Math.floor(Math.log2(length));
  const bits = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** Math.max(exponent - bits, 0);
  return Math.max(Math.ceil(length / step) * step, minimum);
}
