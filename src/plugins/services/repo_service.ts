import { utf8 } from "../../base/bytes.ts";
import type { Json } from "../../base/canonical_json.ts";
import { isKind, messageOf } from "../../base/errors.ts";
import { type CapabilityService, ServiceRefusal } from "../capability_service.ts";
import { linesBody } from "./lines_body.ts";

/** What plugins may know of a repository: what its snapshots and their folders hold, no content. */
export interface RepositoryMetadata {
  /** Newest first. */
  snapshots(signal: AbortSignal): Promise<Json[]>;
  /** What one folder of a snapshot holds. Fails as `snapshot_missing` and `path_missing`. */
  entries(snapshotId: string, path: string, signal: AbortSignal): AsyncIterable<Json>;
}

/** @param open Undefined where this process has opened no repository */
export function repoService(open: () => Promise<RepositoryMetadata> | undefined): CapabilityService {
  return {
    bodyBytesMax: 0,
    async answer(request, _body, signal) {
      const { op, snapshot, path = "/" } = (request ?? {}) as Record<string, Json>;
      const metadata = await open();
      if (metadata === undefined) throw new ServiceRefusal("not_found", "no repository is open");
      if (op === "snapshots") {
        return { response: utf8("{}"), body: linesBody(await metadata.snapshots(signal)) };
      }
      if (op !== "entries" || typeof snapshot !== "string" || typeof path !== "string") {
        throw new ServiceRefusal(
          "invalid_input",
          "what is asked for is snapshots, or entries of a snapshot and a path",
        );
      }
      const entries = metadata.entries(snapshot, path, signal)[Symbol.asyncIterator]();
      const first = await entries.next().catch((error) => {
        throw isKind(error, "snapshot_missing", "snapshot_ambiguous", "path_missing")
          ? new ServiceRefusal("not_found", messageOf(error))
          : error;
      });
      return { response: utf8("{}"), body: linesBody(from(first, entries)) };
    },
  };
}

async function* from(first: IteratorResult<Json>, rest: AsyncIterator<Json>): AsyncGenerator<Json> {
  for (let next = first; !next.done; next = await rest.next()) yield next.value;
}
