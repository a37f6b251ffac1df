import { basename, dirname, join } from "node:path";
import type { Bytes } from "../base/bytes.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import { readBounded } from "../platform/read_bounded.ts";

const MAGIC = [0, 0x61, 0x73, 0x6d];

/** Writes a module, whole or not at all. What stands there already is replaced only if it is a module too. */
export async function replaceModule(path: string, bytes: Bytes): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}.part`);
  try {
    const head = await readBounded(path, MAGIC.length);
    if (head !== undefined && !MAGIC.every((byte, at) => head[at] === byte)) {
      throw new Error("another file has that name");
    }
    await Deno.writeFile(temporary, bytes, { createNew: true });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // the first failure is the one to tell
    throw new AxiomError("target_unwritable", `Cannot write ${displayName(path)}: ${messageOf(error)}`, {
      hint: "Name another file with --output <file>",
      cause: error,
    });
  }
}
