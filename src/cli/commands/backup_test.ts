import { deepStrictEqual as deepEqual, rejects } from "node:assert/strict";
import { AxiomError } from "../../base/errors.ts";
import { NOTHING_MORE } from "../../operations/backup_request.ts";
import { failed } from "../../../tests/fixtures/tampering.ts";
import type { App } from "../app.ts";
import type { CommandContext } from "../context.ts";
import { DEFAULT_CONFIG } from "../../config/schema.ts";
import { backup } from "./backup.ts";

Deno.test("a backup that could not open its repository looks at no source and says nothing more", async () => {
  const seen: string[] = [];
  let whileDeriving = () => {};
  const look = (path: string) => {
    seen.push(`look at ${path}`);
    return { type: "symlink", device: "1" };
  };
  const app = {
    config: DEFAULT_CONFIG,
    folder: "/",
    events: () => seen.push("event"),
    clock: { nowNs: () => "1" },
    files: { lstat: look, statNames: look, packed: look, userName: () => "ann", groupName: () => "staff" },
    demandEnabled: () => {},
    processors: () => Promise.resolve([]),
    openRepository: (_use: string, onDeriving: () => void) => {
      whileDeriving = onDeriving;
      return Promise.reject(new AxiomError("password_wrong", "Cannot open it"));
    },
  } as unknown as App;
  const request = { ...NOTHING_MORE, paths: ["/source"] };
  const options = { settings: [], what: { kind: "files" as const, request }, timeNs: undefined, dryRun: false };
  const running = backup.run(options, { app: () => Promise.resolve(app) } as unknown as CommandContext);
  await rejects(running, failed("password_wrong", /Cannot open it/, /^/));
  whileDeriving(); // the plugins were opened meanwhile
  await new Promise((resolve) => setTimeout(resolve, 0));
  deepEqual(seen, []);
});
