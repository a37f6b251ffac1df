import { deepStrictEqual as deepEqual, throws } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import { beyondGrant, type Capability } from "./capabilities.ts";
import { grantChoice, type GrantRequest } from "./grant_choice.ts";

const ASKED: Capability[] = [
  { name: "net.http", methods: ["GET", "PUT"], reason: "it stores there" },
  { name: "clock" },
];
const NAMED: Capability[] = [{ name: "net.http", hosts: ["a.example:443"] }];
const request = (names: GrantRequest["names"], more: Partial<GrantRequest> = {}): GrantRequest => ({
  names,
  hosts: [],
  folders: [],
  private: false,
  ...more,
});

Deno.test("grantChoice() grants what was asked for and allowed, without the author's words", () => {
  deepEqual(grantChoice("x", ASKED, request(["clock"])), [{ name: "clock" }]);
  deepEqual(grantChoice("x", NAMED, request("all")), [{ name: "net.http", hosts: ["a.example:443"] }]);
  const all = grantChoice("x", ASKED, request("all", { hosts: ["nas:8443", "*.b.example", "[::1]:80", "nas:8443"] }));
  deepEqual(all, [
    { name: "net.http", methods: ["GET", "PUT"], hosts: ["nas:8443", "*.b.example", "[::1]:80"] },
    { name: "clock" },
  ]);
  deepEqual(beyondGrant(ASKED, all), []);
  const files = grantChoice("x", [{ name: "files" }], request("all", { folders: ["/srv"] }));
  deepEqual(files, [{ name: "files", folders: ["/srv"] }]);
});

Deno.test("grantChoice() refuses what does not go together", async (t) => {
  const cases: [name: string, asked: Capability[], request: GrantRequest, message: RegExp, hint?: RegExp][] = [
    ["not asked for", ASKED, request(["kv"]), /does not ask for kv/, /asks for net\.http, clock/],
    ["misspelt", ASKED, request(["clok"]), /does not ask for clok/, /mean clock/],
    ["no host", ASKED, request("all"), /leaves to you what net\.http/, /--host/],
    ["no folder", [{ name: "files" }], request("all"), /leaves to you what files/, /--folder/],
    ["a host too many", NAMED, request("all", { hosts: ["b.example"] }), /--host is given, and nothing/],
    ["a host for nothing", ASKED, request(["clock"], { hosts: ["b.example"] }), /--host is given/],
    ["an address", ASKED, request("all", { hosts: ["https://b.example/"] }), /is no host/],
    ["every host", ASKED, request("all", { hosts: ["*"] }), /"\*" is no host/],
    ["a relative folder", [{ name: "files" }], request("all", { folders: ["a"] }), /not absolute/],
  ];
  for (const [name, asked, wanted, message, hint = /^/] of cases) {
    await t.step(
      name,
      () =>
        throws(
          () => grantChoice("x", asked, wanted),
          (error) =>
            error instanceof AxiomError && error.kind === "usage" && message.test(error.message) &&
            hint.test(error.hint ?? ""),
        ),
    );
  }
});
