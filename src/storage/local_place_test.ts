import { ok, rejects } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import { denoFileOps, type FileOps } from "./file_ops.ts";
import { openLocalStore } from "./local.ts";

Deno.test("a place where nothing can be made, and which does not say so plainly, is an error and no endless loop", async () => {
  let calls = 0;
  const missing = () => {
    calls++;
    return Promise.reject(Object.assign(new Error("No such file or directory (os error 2)"), { code: "ENOENT" }));
  };
  const ops: FileOps = {
    ...denoFileOps,
    stat: missing,
    makeFolder: (path) =>
      path.split("/").length > 2
        ? missing()
        : Promise.reject(Object.assign(new Error("File exists"), { code: "EEXIST" })),
  };
  await rejects(openLocalStore("/proc/a/b", { make: true, ops }), (error) => error instanceof AxiomError);
  ok(calls < 20, `${calls} calls`);
});
