import { createHash } from "node:crypto";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { TOOL_VERSION } from "../base/version.ts";
import { type StateFiles, stateFiles } from "../platform/state_files.ts";
import { prepareCacheFolder } from "../repository/cache_folder.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { HmacKey } from "../stages/hmac.ts";
import { KnownFolders } from "./known_folders.ts";
import type { SavePolicy } from "./save_policy.ts";

const PREFIX = "folders-";

/** What is remembered of unchanged folders between backups of the same sources by the same rules, in a file of the cache. */
export class KnownFoldersFile {
  private constructor(
    readonly files: StateFiles,
    readonly name: string,
    readonly known: KnownFolders,
    readonly writer: RepositoryWriter,
  ) {}

  /** Undefined where nothing can be remembered. */
  static async open(
    cache: string | undefined,
    writer: RepositoryWriter,
    policy: Pick<SavePolicy, "selectsBy" | "unchanged">,
    otherClocks: ReadonlySet<string>,
  ): Promise<KnownFoldersFile | undefined> {
    const indexes = writer.wholeIndex();
    if (cache === undefined || indexes === undefined) return undefined;
    if (policy.selectsBy === undefined || policy.unchanged === "one_by_one") return undefined;
    const { repository } = writer;
    const binding = `${TOOL_VERSION} ${policy.unchanged} ${policy.selectsBy}`;
    const name = PREFIX + createHash("sha256").update(binding).digest("hex").slice(0, 16);
    const mac = new HmacKey(repository.keys.clientCacheKey());
    try {
      const files = stateFiles(await prepareCacheFolder(cache, repository.id));
      const stored = await files.read(name);
      const known = new KnownFolders({ stored, binding, indexes, otherClocks, mac: (data) => mac.digest(data) });
      return new KnownFoldersFile(files, name, known, writer);
    } catch (error) {
      tell(writer, error);
      return undefined;
    }
  }

  /** For the next run. Never throws. */
  async save(): Promise<void> {
    try {
      const data = this.known.encode();
      if (data === undefined) return;
      await this.files.write(this.name, data);
      await this.#removeOld();
    } catch (error) {
      tell(this.writer, error);
    }
  }

  /** Of sources and rules that nobody uses any more. */
  async #removeOld(): Promise<void> {
    const found: { name: string; changedMs: number }[] = [];
    for await (const { name } of Deno.readDir(this.files.folder)) {
      if (!name.startsWith(PREFIX) || name === this.name) continue;
      const { mtime } = await Deno.lstat(`${this.files.folder}/${name}`);
      found.push({ name, changedMs: mtime?.getTime() ?? 0 });
    }
    found.sort((a, b) => b.changedMs - a.changedMs);
    for (const { name } of found.slice(LIMITS.knownFolderFilesMax - 1)) await this.files.remove(name);
  }
}

function tell({ repository }: RepositoryWriter, error: unknown): void {
  const message = `Cannot remember unchanged folders, so they are compared again: ${messageOf(error)}`;
  repository.context.onEvent({ type: "warning", code: "cache", message });
}
