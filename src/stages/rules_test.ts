import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal, throws } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import { compileRules } from "./rules.ts";

/** `PATTERN=VALUE`, cut at the last `=`. */
const rules = (...texts: string[]) =>
  texts.map((text) => ({
    pattern: text.slice(0, text.lastIndexOf("=")),
    value: text.slice(text.lastIndexOf("=") + 1),
  }));
const exact = { origin: "--rule", ignoreCase: false };

Deno.test("compileRules() gives a file the value of the first rule that matches", async (t) => {
  const cases: [name: string, texts: string[], expected: Record<string, string | undefined>][] = [
    ["no rules", [], { "/a": undefined }],
    ["names anywhere", ["*.jpg=1", "Makefile=2", "a?=3"], {
      "/x.jpg": "1",
      "/d/e/y.jpg": "1",
      "/d/Makefile": "2",
      "/ab": "3",
      "/x.jpg/z": undefined,
      "/b": undefined,
    }],
    ["the first wins", ["*.gz=1", "*.tar.gz=2", "a.gz=3"], { "/a.gz": "1", "/a.tar.gz": "1" }],
    ["the special before the general", ["*.tar.gz=1", "*.gz=2", "*=3"], { "/a.tar.gz": "1", "/a.gz": "2", "/a": "3" }],
    ["a name before a path", ["*.key=1", "/srv/**=2"], { "/srv/a.key": "1", "/srv/a": "2", "/a.key": "1" }],
    ["a path before a name", ["/srv/**=1", "*.key=2"], {
      "/srv/a.key": "1",
      "/srv/d/a": "1",
      "/x/a.key": "2",
      "/srv": undefined,
    }],
    ["a path inside a path", ["/srv/public/secret/**=1", "/srv/public/**=2"], {
      "/srv/public/secret/x": "1",
      "/srv/public/x": "2",
      "/srv/public/secret": "2",
    }],
    ["a folder without stars", ["/srv/public=1"], {
      "/srv/public/x/y": "1",
      "/srv/public": "1",
      "/srv/publicx": undefined,
      "/x/srv/public/y": undefined,
    }],
    ["a folder with a slash", ["/srv/public/=1"], { "/srv/public/x": "1", "/srv/public": undefined }],
    ["folders of a name", ["cache/=1"], {
      "/a/cache/x/y": "1",
      "/cache/x": "1",
      "/a/cache": undefined,
      "/a/cachex/y": undefined,
    }],
    ["below any folder", ["**/db/*.dat=1"], { "/db/x.dat": "1", "/a/b/db/x.dat": "1", "/db/c/x.dat": undefined }],
    ["right below the root", ["/*=1"], { "/a": "1", "/a/b": "1" }],
    ["one level", ["/srv/*/x=1"], { "/srv/a/x": "1", "/srv/x": undefined, "/srv/a/b/x": undefined }],
    ["strange names", ["*\udcff=1", "a\nb=2", "x\\*=3", "/d/a\\\\b=4", " s=5", "__proto__=6"], {
      "/a\udcff": "1",
      "/a\nb": "2",
      "/x*": "3",
      "/xy": undefined,
      "/d/a\\b": "4",
      "/ s": "5",
      "/s": undefined,
      "/__proto__": "6",
      "/constructor": undefined,
    }],
    ["case counts", ["*.JPG=1"], { "/a.jpg": undefined, "/a.JPG": "1" }],
  ];
  for (const [name, texts, expected] of cases) {
    await t.step(name, () => {
      const valueOf = compileRules(rules(...texts), exact);
      deepEqual(Object.fromEntries(Object.keys(expected).map((path) => [path, valueOf(path)])), expected);
    });
  }
});

Deno.test("compileRules() may fold case", () => {
  const valueOf = compileRules(rules("*.Db=1", "/Srv/*=2", "é.x=3"), { ...exact, ignoreCase: true });
  deepEqual(["/a.DB", "/sRV/a", "/É.X", "/b"].map(valueOf), ["1", "2", "3", undefined]);
});

Deno.test("compileRules() refuses what a rule cannot mean", async (t) => {
  const cases: [pattern: string, message: RegExp][] = [
    ["", /Cannot use the rule "" of --rule: it is empty/],
    ["!*.jpg", /cannot be taken back/],
    ["srv/public/**", /begins with \//],
    ["*.{jpg,png}", /braces/],
    ["a[", /never closed/],
    ["/a/../b", /"\.\."/],
  ];
  for (const [pattern, message] of cases) {
    await t.step(JSON.stringify(pattern), () =>
      throws(() => compileRules([{ pattern, value: 1 }], exact), (error) => {
        ok(error instanceof AxiomError && error.kind === "usage" && error.hint !== undefined);
        match(error.message, message);
        return true;
      }));
  }
});

Deno.test("compileRules() answers alike however often it is asked", () => {
  const valueOf = compileRules(rules("/a/**/z*=1", "x?y=2"), exact);
  for (let i = 0; i < 1000; i++) {
    equal(valueOf(`/a/${i}/z${i}`), "1");
    equal(valueOf(`/a/${i}/q${i}`), undefined);
    equal(valueOf(`/b/x${i % 10}y`), "2");
  }
});
