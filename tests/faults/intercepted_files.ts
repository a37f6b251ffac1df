import type { FileOps, OpenFile } from "../../src/storage/file_ops.ts";

export interface FileCall {
  call: Exclude<keyof FileOps, "volume"> | keyof OpenFile;
  path: string;
  /** Of `link` and `rename`, whose `path` is the old name. */
  to?: string;
  /** Of `write`. */
  bytes?: number;
}

/** Calls `before` ahead of each call to `ops`: to record it, to hold it up, or to fail it by throwing. */
export function interceptedFiles(ops: FileOps, before: (call: FileCall) => unknown): FileOps {
  const wrapped = (file: OpenFile, path: string): OpenFile => ({
    write: async (data) => {
      await before({ call: "write", path, bytes: data.length });
      await file.write(data);
    },
    readAt: async (into, offset) => {
      await before({ call: "readAt", path });
      return await file.readAt(into, offset);
    },
    sync: async () => {
      await before({ call: "sync", path });
      await file.sync();
    },
    close: () => file.close(),
  });
  const one = <C extends FileCall["call"], R>(call: C, run: (path: string) => Promise<R>) => async (path: string) => {
    await before({ call, path });
    return await run(path);
  };
  const two = (call: "link" | "rename") => async (path: string, to: string) => {
    await before({ call, path, to });
    await ops[call](path, to);
  };
  return {
    createFile: one("createFile", async (path) => wrapped(await ops.createFile(path), path)),
    openFile: one("openFile", async (path) => wrapped(await ops.openFile(path), path)),
    stat: one("stat", (path) => ops.stat(path)),
    readNames: one("readNames", (path) => ops.readNames(path)),
    link: two("link"),
    rename: two("rename"),
    remove: one("remove", (path) => ops.remove(path)),
    makeFolder: one("makeFolder", (path) => ops.makeFolder(path)),
    chmod: async (path, mode) => {
      await before({ call: "chmod", path });
      await ops.chmod(path, mode);
    },
    syncFolder: one("syncFolder", (path) => ops.syncFolder(path)),
    volume: (path) => ops.volume(path),
  };
}

/** What the system throws for an errno. */
export function systemFailure(code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code });
}
