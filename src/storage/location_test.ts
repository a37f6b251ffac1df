import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { isKind } from "../base/errors.ts";
import { displayLocation, parseLocation } from "./location.ts";

const UNIX = Deno.build.os !== "windows";

Deno.test("parseLocation() reads paths and file URLs", { ignore: !UNIX }, async (t) => {
  const cases = [
    ["/srv/backup", "/srv/backup"],
    ["/srv/backup/", "/srv/backup"],
    ["/srv/../backup", "/backup"],
    ["/", "/"],
    ["backup", "/home/me/backup"],
    ["./s3:odd", "/home/me/s3:odd"],
    ["../backup", "/home/backup"],
    ["a b/ü", "/home/me/a b/ü"],
    ["x:", "/home/me/x:"],
    ["file:///srv/my%20backup", "/srv/my backup"],
    ["file://localhost/srv", "/srv"],
    ["FILE:///srv/%C3%BC", "/srv/ü"],
  ];
  for (const [text, path] of cases) {
    await t.step(text, () => deepEqual(parseLocation(text, () => "/home/me"), { kind: "local", path }));
  }
});

Deno.test("parseLocation() reads what a plugin keeps", async (t) => {
  const cases: [string, string, string | undefined][] = [
    ["storage_dav://dav.example:8443/a/b", "storage_dav", "https://dav.example:8443/a/b/"],
    ["storage_dav://dav.example", "storage_dav", "https://dav.example/"],
    ["storage_dav+http://nas/", "storage_dav", "http://nas/"],
    ["storage_dav://", "storage_dav", undefined],
    ["sftp://host/x", "sftp", "https://host/x/"],
  ];
  for (const [text, pluginId, url] of cases) {
    await t.step(text, () => deepEqual(parseLocation(text), { kind: "plugin", pluginId, url }));
  }
});

Deno.test("parseLocation() starts relative paths from the current folder", () => {
  deepEqual(parseLocation("."), { kind: "local", path: Deno.cwd() });
});

Deno.test("parseLocation() refuses the rest, and says which kinds there are", async (t) => {
  const cases: [text: string, why: RegExp][] = [
    ["", /it is empty/],
    ["a\0b", /NUL/],
    ["s3://bucket/prefix", /s3:\/\/bucket\/prefix is not built in yet/],
    ["azure://container", /azure:\/\/container\/prefix is not built in yet/],
    ["gs://bucket", /not built in yet/],
    ["my_store://u:p@x", /plugins\.credentials/],
    ["my_store://x/?a=b", /which are written %3F/],
    ["my_store://:::", /no host and path/],
    ["my_store+ftp://x", /no kind of store/],
    ["a-b://x", /a-b:\/\/ is no kind of store/],
    ["s3:bucket", /after "s3:" come two slashes/],
    ["file:/srv", /after "file:" come two slashes/],
    ["file://srv/backup", /host/],
    ["file:///srv?x=1", /\? or #/],
    ["file:///srv#x", /\? or #/],
    ["file:///a%00b", /NUL|it is not/],
    ["file:///a%2Fb", /encoded/],
    ["file:///%ff", /malformed|not a/i],
    ["file://me:secret@/srv", /host|not a URL/],
  ];
  for (const [text, why] of cases) {
    await t.step(JSON.stringify(text), () =>
      throws(() => parseLocation(text), (error) => {
        ok(isKind(error, "usage"), String(error));
        ok(why.test(error.message), error.message);
        ok(/^Cannot use ".*" as a repository: /.test(error.message));
        ok(error.hint?.includes("file:///path"));
        return true;
      }));
  }
});

Deno.test("no secret of a location is shown", async (t) => {
  const secrets = [
    "s3://AKIA:SECRET@bucket/x",
    "s3://AKIA:SEC@SECRET@bucket/x",
    "s3://AKIA:pa/SECRET@bucket/x",
    "s3://AKIA:pa?SECRET#SECRET@bucket/x",
    "s3://key:SECRET",
    "https://host/x?sig=SECRET",
    "file://me:SECRET@[/srv",
    "file:///srv?token=SECRET",
    "rest:https://me:SECRET@host/x",
    "sftp:me:SECRET@host:/x",
    "plugin_id://SECRET@",
    "azure://container/x?sv=1&sig=SECRET#SECRET",
  ];
  for (const text of secrets) {
    await t.step(text, () => {
      ok(!displayLocation(text).includes("SECRET"), displayLocation(text));
      throws(() => parseLocation(text), (error) => {
        ok(error instanceof Error && !Deno.inspect(error).includes("SECRET"), Deno.inspect(error));
        return true;
      });
    });
  }
});

Deno.test("what is no secret stays readable", () => {
  for (const text of ["/srv/a@b?c#d", "s3://bucket/prefix", "s3://localhost:9000/bucket", "file:///srv/a@b", "C:\\x"]) {
    equal(displayLocation(text), text);
  }
});
