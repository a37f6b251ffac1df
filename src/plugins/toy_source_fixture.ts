/** A source plugin of hand-made code, whose streams lie on a server of the test. */
import type { Bytes } from "../base/bytes.ts";
import { type Posted, type PostmanAnswer, postmanPlugin } from "./postman_fixture.ts";

export const SOURCE_ID = "source_toy";

/** Posts to the path `/<version>`. */
export function toySource(port: number, version = "1.0.0", more: Record<string, unknown> = {}): Bytes {
  return postmanPlugin(port, `/${version}`, { plugin_id: SOURCE_ID, version, category: "source", ...more });
}

export interface ToyStream {
  readonly data: Bytes;
  /** What is listed beside the name; the right length by default. */
  readonly listed?: Record<string, unknown>;
}

/** What a source does that keeps every rule. */
export function streamAnswer(
  streams: ReadonlyMap<string, ToyStream>,
  { operation, header: { name, offset, length, cursor = "0", limit } }: Pick<Posted, "operation" | "header">,
): PostmanAnswer {
  const stream = streams.get(name);
  if (operation === "list") {
    const from = Number(cursor), to = from + limit, all = [...streams];
    const entries = all.slice(from, to).map(([name, { data, listed }]) => ({ name, length: data.length, ...listed }));
    return { result: { entries, ...(to < all.length ? { cursor: String(to) } : {}) } };
  }
  if (operation !== "read") return { failure: "unsupported" };
  return stream === undefined ? { failure: "not_found" } : { output: stream.data.slice(offset, offset + length) };
}
