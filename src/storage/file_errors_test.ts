import { ok, strictEqual as equal } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import { codeOf, isRefused, storageFailure } from "./file_errors.ts";

const PLACE = { location: "/mnt/disk", remote: false };

Deno.test("codeOf() names what the system said, also where Deno gives only a number", {
  ignore: Deno.build.os !== "linux",
}, () => {
  const cases: [error: unknown, code: string | undefined][] = [
    [Object.assign(new Error("x"), { code: "ENOSPC" }), "ENOSPC"],
    [new Deno.errors.NotFound("No such file or directory (os error 2)"), "ENOENT"],
    [new Error("Function not implemented (os error 38): chmod '/mnt/disk/repo'"), "ENOSYS"],
    [new Error("Structure needs cleaning (os error 117): readdir '/mnt/disk/repo'"), "EUCLEAN"],
    [new Error("Stale file handle (os error 116): open '/mnt/disk/repo'"), "ESTALE"],
    [new Error("a bug"), undefined],
    ["os error 2", undefined],
  ];
  for (const [error, code] of cases) equal(codeOf(error), code);
  ok(isRefused(cases[2][0]));
});

Deno.test("storageFailure() makes an error for people of every failed call, and leaves bugs alone", {
  ignore: Deno.build.os !== "linux",
}, () => {
  const failed = (message: string) => storageFailure("read packs/x", new Error(message), PLACE);
  const damaged = failed("Structure needs cleaning (os error 117): open 'x'");
  ok(damaged instanceof AxiomError && damaged.kind === "storage_failed" && !damaged.retriable);
  const stale = failed("Stale file handle (os error 116): open 'x'");
  ok(stale instanceof AxiomError && stale.kind === "storage_busy" && stale.retriable);
  const bug = new TypeError("undefined is not a function");
  equal(storageFailure("read packs/x", bug, PLACE), bug);
});
