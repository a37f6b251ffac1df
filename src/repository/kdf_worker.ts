/** Computes one Argon2id in a thread of its own; its memory goes away with it. */
import { argon2id } from "hash-wasm";
import { type Bytes } from "../base/bytes.ts";
import { messageOf } from "../base/errors.ts";

export interface Argon2Request {
  secret: Bytes;
  salt: Bytes;
  memoryKib: number;
  passes: number;
  lanes: number;
}

export type Argon2Reply = { output: Bytes } | { failure: string };

/** Of the module of hash-wasm. */
interface Argon2Exports {
  memory?: WebAssembly.Memory;
  Hash_SetMemorySize?: (bytes: number) => number;
}

/** What a worker has of `self`; spelled out because this file is also checked as a script of a window. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<Argon2Request>) => void) | null;
  postMessage(reply: Argon2Reply): void;
}

const scope = globalThis as unknown as WorkerScope;

touchMemory();

scope.onmessage = async ({ data }) => {
  try {
    const output = await argon2id({
      password: data.secret,
      salt: data.salt,
      memorySize: data.memoryKib,
      iterations: data.passes,
      parallelism: data.lanes,
      hashLength: 32,
      outputType: "binary",
    });
    scope.postMessage({ output: new Uint8Array(output) });
  } catch (error) {
    scope.postMessage({ failure: messageOf(error) });
  }
};

/**
 * Lets the library write all of its memory once before it computes. It reads each page first, for which Linux maps a page of
 * zeros: the write that follows takes that away from every core by an interrupt, 16,000 times, a quarter of the time of it all.
 */
function touchMemory(): void {
  const instantiate = WebAssembly.instantiate as (module: WebAssembly.Module) => Promise<WebAssembly.Instance>;
  const touched = async (module: WebAssembly.Module) => {
    const { exports } = await instantiate(module);
    const { memory, Hash_SetMemorySize: setMemorySize } = exports as unknown as Argon2Exports;
    if (memory === undefined || setMemorySize === undefined) return { exports };
    const setAndTouch = (bytes: number) => {
      const before = memory.buffer.byteLength;
      const result = setMemorySize(bytes);
      new Uint8Array(memory.buffer, before).fill(0);
      return result;
    };
    return { exports: { ...exports, Hash_SetMemorySize: setAndTouch } };
  };
  WebAssembly.instantiate = touched as unknown as typeof WebAssembly.instantiate;
}
