import { ok, strictEqual as equal } from "node:assert/strict";
import { fidelityWarning } from "./fidelity.ts";
import { implementations } from "./file_system_fixture.ts";
import { PortableFileSystem } from "./portable_file_system.ts";

Deno.test("fidelityWarning() names the reason and each loss, and is silent where nothing is lost", () => {
  const { fidelity } = new PortableFileSystem("--allow-ffi was not granted");
  const warning = fidelityWarning(fidelity) ?? "";
  for (const part of ["because --allow-ffi was not granted", "not UTF-8", "millisecond", "ACLs", "FIFOs", "sparse"]) {
    ok(warning.includes(part), part);
  }
  ok(!fidelityWarning({ ...fidelity, xattrs: true })?.includes("ACLs"));
  for (const { name, system } of implementations) {
    equal(fidelityWarning(system.fidelity) === undefined, name !== "portable");
  }
});
