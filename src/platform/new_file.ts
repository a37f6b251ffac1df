import { basename, dirname, join } from "node:path";

/** A file that gets its name once it is whole, and replaces nothing. */
export interface NewFile {
  write(data: Uint8Array): Promise<void>;
  /** Makes it durable under its name. Throws `AlreadyExists` if that was taken meanwhile. */
  commit(): Promise<void>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

/** Throws what Deno throws, `AlreadyExists` for a name that is taken. */
export async function openNewFile(path: string): Promise<NewFile> {
  await demandFree(path);
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}.part`);
  const file = await Deno.open(temporary, { write: true, createNew: true });
  return {
    async write(data) {
      for (let at = 0; at < data.length;) at += await file.write(data.subarray(at));
    },
    async commit() {
      await file.sync();
      file.close();
      try {
        await demandFree(path);
        await Deno.rename(temporary, path);
      } catch (error) {
        await Deno.remove(temporary).catch(() => {}); // the first failure is the one to tell
        throw error;
      }
    },
    async abort() {
      try {
        file.close();
      } catch {
        // It was closed.
      }
      await Deno.remove(temporary).catch(() => {}); // the first failure is the one to tell
    },
  };
}

async function demandFree(path: string): Promise<void> {
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new Deno.errors.AlreadyExists("it exists already");
}
