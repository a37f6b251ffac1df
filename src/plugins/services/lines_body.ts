import { type Bytes, concat, utf8 } from "../../base/bytes.ts";
import type { Json } from "../../base/canonical_json.ts";
import type { ServiceBody } from "../capability_service.ts";

/** One JSON value a line. */
export function linesBody(values: AsyncIterable<Json> | Iterable<Json>): ServiceBody {
  const lines = (async function* () {
    for await (const value of values) yield utf8(`${JSON.stringify(value)}\n`);
  })();
  let rest: Bytes = new Uint8Array(0);
  return {
    async read(bytesMax) {
      const parts: Bytes[] = [];
      let length = 0;
      while (length < bytesMax) {
        if (rest.length === 0) {
          const { done, value } = await lines.next();
          if (done) break;
          rest = value;
        }
        const part = rest.subarray(0, bytesMax - length);
        rest = rest.subarray(part.length);
        parts.push(part);
        length += part.length;
      }
      return concat(parts);
    },
    cancel: () => void lines.return(),
  };
}
