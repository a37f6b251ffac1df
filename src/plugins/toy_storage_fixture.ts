/** A storage plugin of hand-made code, and the server that does its work. Real ones speak the protocol of their server. */
import { type Bytes, equalBytes } from "../base/bytes.ts";
import { type Posted, type PostmanAnswer, postmanPlugin, postmanServer } from "./postman_fixture.ts";

export const STORAGE_ID = "storage_toy";

/** @param more Other keys of the manifest */
export function toyStorage(port: number, path = "/", more: Record<string, unknown> = {}): Bytes {
  return postmanPlugin(port, path, { plugin_id: STORAGE_ID, category: "storage", ...more });
}

export type ToyAnswer = (objects: Map<string, Bytes>, posted: Posted) => PostmanAnswer;

export interface ToyStorageServer extends AsyncDisposable {
  readonly port: number;
  readonly objects: Map<string, Bytes>;
  /** Answers that the next requests get instead. */
  readonly failures: PostmanAnswer["failure"][];
}

/** @param answer In place of what a server does that keeps every rule */
export function toyStorageServer(answer: ToyAnswer = rightAnswer): ToyStorageServer {
  const objects = new Map<string, Bytes>(), failures: ToyStorageServer["failures"] = [];
  const server = postmanServer((posted) => {
    const failure = failures.shift();
    return failure === undefined ? answer(objects, posted) : { failure };
  });
  return { port: server.port, objects, failures, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

export function rightAnswer(objects: Map<string, Bytes>, { operation, header, input }: Posted): PostmanAnswer {
  const { key, offset, length, prefix, cursor = "", limit } = header, object = objects.get(key);
  switch (operation) {
    case "put":
      if (object !== undefined) return equalBytes(object, input) ? {} : { failure: "conflict" };
      objects.set(key, input);
      return {};
    case "get":
      if (object === undefined) return { failure: "not_found" };
      return { output: offset === undefined ? object : object.slice(offset, offset + length) };
    case "stat":
      return object === undefined ? { failure: "not_found" } : { result: { length: object.length } };
    case "delete":
      objects.delete(key);
      return {};
    case "list": {
      const keys = [...objects.keys()].filter((each) => each.startsWith(prefix) && each > cursor).sort();
      const entries = keys.slice(0, limit).map((each) => ({ key: each, length: objects.get(each)!.length }));
      return { result: { entries, ...(keys.length > limit ? { cursor: entries.at(-1)!.key } : {}) } };
    }
    default:
      return { failure: "unsupported" };
  }
}
