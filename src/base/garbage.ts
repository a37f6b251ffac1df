const collect = (globalThis as { gc?: (options: { type: "minor" | "major" }) => void }).gc;

/** Collections of the young generation to one of everything. */
const YOUNG_TO_WHOLE = 32;
let collections = 0;

/**
 * Frees the buffers that nothing refers to any more, where the program runs with V8's `--expose-gc`; elsewhere it does nothing.
 * WebCrypto copies what it is given, and V8 learns of such copies only when its own heap of some MiB is full: tens of them
 * wait until then, a third of the memory of a backup. Takes under a millisecond, and now and then some, for what grew old
 * meanwhile.
 */
export function collectGarbage(): void {
  collect?.({ type: ++collections % YOUNG_TO_WHOLE === 0 ? "major" : "minor" });
}
