import type { Bytes } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { type Zstd, zstdBound } from "./zstd.ts";

/** What `@foxglove/wasm-zstd` 1.0.1 (zstd 1.5.4, built by Emscripten 3.1.26, names minified) exports. */
interface ZstdExports {
  /** Memory. */
  c: WebAssembly.Memory;
  /** Runs constructors; to be called once. */
  d(): void;
  malloc(bytes: number): number;
  free(pointer: number): void;
  compress(target: number, targetBytes: number, source: number, sourceBytes: number, level: number): number;
  decompress(target: number, targetBytes: number, source: number, sourceBytes: number): number;
}

const PAGE_BYTES = 65536;
/** One call to grow costs 0.3 ms on some versions of Deno, so memory grows by at least this. */
const GROWTH_BYTES_MIN = 32 * PAGE_BYTES;

function instantiate(module: WebAssembly.Module): ZstdExports {
  const imports = {
    /** `emscripten_resize_heap`: 1 if memory is now at least `bytes`. */
    a(bytes: number): number {
      const missing = (bytes >>> 0) - memory.buffer.byteLength;
      for (const growth of [Math.max(missing, GROWTH_BYTES_MIN), missing]) {
        try {
          memory.grow(Math.ceil(growth / PAGE_BYTES));
          return 1;
        } catch {
          continue;
        }
      }
      return 0;
    },
    /** `emscripten_memcpy_big`. */
    b(target: number, source: number, bytes: number): void {
      new Uint8Array(memory.buffer).copyWithin(target >>> 0, source >>> 0, (source >>> 0) + (bytes >>> 0));
    },
  };
  const raw = new WebAssembly.Instance(module, { a: imports }).exports as Record<string, unknown>;
  const memory = raw.c as WebAssembly.Memory;
  const exports = {
    c: memory,
    d: raw.d,
    malloc: raw.f,
    free: raw.g,
    compress: raw.i,
    decompress: raw.j,
  } as ZstdExports;
  exports.d();
  return exports;
}

/**
 * Zstandard in WASM. Its memory never shrinks and is what the largest call so far needed: for a frame of 4 MiB 11 MiB up to
 * level 6, 22 at 9, 40-75 from 12 on.
 */
export class WasmZstd implements Zstd {
  readonly implementation = "wasm";
  readonly #module: WebAssembly.Module;
  #exports: ZstdExports | undefined;

  private constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** The bytes come from the module graph, so that no permission is needed and a compiled program has them inside. */
  static async load(): Promise<WasmZstd> {
    try {
      const { default: bytes } = await import("@foxglove/wasm-zstd/dist/wasm-zstd.wasm", { with: { type: "bytes" } });
      return new WasmZstd(await WebAssembly.compile(bytes));
    } catch (cause) {
      throw new AxiomError("codec_failed", `Cannot load zstd: Deno ${Deno.version.deno} has none that can be used`, {
        hint: "Use Deno 2.7.5, or run Deno with --unstable-raw-imports",
        cause,
      });
    }
  }

  get memoryBytes(): number {
    return this.#exports?.c.buffer.byteLength ?? 0;
  }

  compress(plain: Bytes, level: number): Bytes {
    const bound = zstdBound(plain.length);
    return this.#call(
      plain,
      bound,
      (zstd, target, source) => zstd.compress(target, bound, source, plain.length, level),
    );
  }

  decompress(stored: Bytes, plainLength: number): Bytes {
    return this.#call(
      stored,
      plainLength,
      (zstd, target, source) => zstd.decompress(target, plainLength, source, stored.length),
    );
  }

  /** Copies `input` in and the result out. An instance that trapped is not used again. */
  #call(input: Bytes, targetBytes: number, work: (zstd: ZstdExports, target: number, source: number) => number): Bytes {
    const zstd = this.#exports ??= instantiate(this.#module);
    const source = zstd.malloc(Math.max(1, input.length));
    const target = zstd.malloc(Math.max(1, targetBytes));
    try {
      if (source === 0 || target === 0) throw new Error(`out of memory at ${this.memoryBytes} bytes`);
      new Uint8Array(zstd.c.buffer).set(input, source >>> 0);
      const length = work(zstd, target, source);
      if (length < 0) throw new Error("zstd reported an error");
      return new Uint8Array(zstd.c.buffer as ArrayBuffer, target >>> 0, length).slice();
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) this.#exports = undefined;
      throw error;
    } finally {
      if (this.#exports !== undefined) {
        zstd.free(source);
        zstd.free(target);
      }
    }
  }
}
