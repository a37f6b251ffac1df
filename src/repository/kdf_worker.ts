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

/** What a worker has of `self`; spelled out because this file is also checked as a script of a window. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<Argon2Request>) => void) | null;
  postMessage(reply: Argon2Reply): void;
}

const scope = globalThis as unknown as WorkerScope;

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
