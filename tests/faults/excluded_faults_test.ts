import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { systemRandom } from "../../src/base/random.ts";
import { DEFAULT_CONFIG } from "../../src/config/schema.ts";
import { policyOptions } from "../../src/operations/backup_request.ts";
import { makeSavePolicy } from "../../src/operations/save_policy.ts";
import { type FileStat, SystemError } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { flagPatterns } from "../../src/stages/pattern_list.ts";
import { builtInStages } from "../../src/stages/registry.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { ForwardingFiles } from "./faulty_files.ts";
import { writeFiles } from "./source_folder.ts";
import { emptyRepository, type Events, opened, save, withFolder } from "./test_repository.ts";

openFileSystem();

/** As another user's FUSE mount is for root. */
class Unlookable extends ForwardingFiles {
  override statNames(folder: string, names: readonly string[]): (FileStat | SystemError)[] {
    return super.statNames(folder, names).map((stat, at) =>
      names[at] === "mount" ? new SystemError("EACCES", "statx", `${folder}/mount`) : stat
    );
  }
}

Deno.test("(14) what cannot even be looked at is no fault where the rules leave it out", () =>
  withFolder(async (folder) => {
    writeFiles(folder, { "mount/x": "x", "sub/mount/y": "y", "file": "file" });
    const files = new Unlookable();
    const cases: [patterns: string[], failed: number][] = [
      [[], 2],
      [["mount"], 0],
      [["mount/"], 0],
      [["/mount"], 1],
    ];
    for (const [patterns, failed] of cases) {
      const store = memoryStore();
      store.restore(await emptyRepository());
      const events: Events = [];
      const options = policyOptions(DEFAULT_CONFIG.backup, flagPatterns(patterns, "--exclude"));
      const context = { files, registry: builtInStages(), random: systemRandom };
      const { policy } = makeSavePolicy(options, [folder], context);
      const summary = await save(await opened(store, events), folder, { files, policy });
      const told = events.filter(({ type }) => type === "error").length;
      deepEqual([summary.filesFailed, told, summary.filesNew], [failed, failed, 1], patterns.join(" "));
    }
  }));
