import { dirname, join } from "node:path";
import type { Bytes } from "../base/bytes.ts";

/** Small files that this machine keeps for itself, by names with `/` between folders. */
export interface StateFiles {
  /** For messages. */
  readonly folder: string;
  /** Undefined if there is none. */
  read(name: string): Promise<Bytes | undefined>;
  /** All or nothing, durable when it resolves; readable by this user alone. */
  write(name: string, data: Bytes): Promise<void>;
  remove(name: string): Promise<void>;
}

/** Files below `folder`, which is made by the first write. */
export function stateFiles(folder: string): StateFiles {
  return {
    folder,
    async read(name) {
      try {
        return await Deno.readFile(join(folder, name));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      }
    },
    async write(name, data) {
      const path = join(folder, name);
      await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const temporary = `${path}.${crypto.randomUUID()}`;
      try {
        const file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
        try {
          for (let at = 0; at < data.length;) at += await file.write(data.subarray(at));
          await file.sync();
        } finally {
          file.close();
        }
        await Deno.rename(temporary, path);
      } catch (error) {
        await Deno.remove(temporary).catch(() => {}); // the first failure is the one to tell
        throw error;
      }
    },
    async remove(name) {
      try {
        await Deno.remove(join(folder, name));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    },
  };
}
