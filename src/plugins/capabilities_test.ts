import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { beyondGrant, type Capability, CAPABILITY_NAMES, CEILINGS, describeCapability } from "./capabilities.ts";
import { CATEGORIES } from "./manifest_schema.ts";

Deno.test("beyondGrant() finds what a grant does not cover", async (t) => {
  const http = (hosts?: string[], methods?: string[]): Capability => ({ name: "net.http", hosts, methods });
  const cases: [name: string, wanted: Capability[], granted: Capability[], beyond: Capability[]][] = [
    ["nothing wanted", [], [{ name: "kv" }], []],
    ["what nobody has to grant", [{ name: "log" }], [], []],
    ["the same", [{ name: "kv", reason: "a" }], [{ name: "kv" }], []],
    ["more", [{ name: "kv" }, { name: "clock" }], [{ name: "kv" }], [{ name: "clock" }]],
    ["a host more", [http(["a", "b"])], [http(["a"])], [http(["b"], undefined)]],
    ["a method more", [http(["a"], ["GET", "PUT"])], [http(["a"])], [http(["a"], ["PUT"])]],
    ["a host and a method less", [http(["a"], ["GET"])], [http(["a", "b"], ["GET", "PUT"])], []],
    ["hosts that the person named", [http(undefined, ["GET"])], [http(["mine"], ["GET"])], []],
    ["a folder more", [{ name: "files", folders: ["/a", "/b"] }], [{ name: "files", folders: ["/a"] }], [{
      name: "files",
      folders: ["/b"],
    }]],
  ];
  for (const [name, wanted, granted, beyond] of cases) {
    await t.step(name, () => deepEqual(plain(beyondGrant(wanted, granted)), plain(beyond)));
  }
});

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

Deno.test("every category has a ceiling, and those of the data path can reach nothing", () => {
  deepEqual(Object.keys(CEILINGS).sort(), [...CATEGORIES].sort());
  for (const category of ["compression", "encryption", "filter"]) deepEqual(CEILINGS[category], ["log"]);
});

Deno.test("describeCapability() has words for each", () => {
  equal(
    describeCapability({ name: "net.http", hosts: ["s3.example:443", "b"], methods: ["GET", "PUT"] }),
    "send requests over the network to s3.example:443, b, with GET, PUT",
  );
  equal(
    describeCapability({ name: "net.http" }),
    "send requests over the network to hosts that you name when you grant it, with GET",
  );
  equal(describeCapability({ name: "files", folders: ["/srv"] }), "read the files in /srv");
  for (const name of CAPABILITY_NAMES) equal(describeCapability({ name }).length > 0, true);
});
