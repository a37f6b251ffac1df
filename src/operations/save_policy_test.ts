import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { FileStat, FileSystem, FileType } from "../platform/file_system.ts";
import { SystemError } from "../platform/file_system.ts";
import { flagPatterns } from "../stages/pattern_list.ts";
import { builtInStages } from "../stages/registry.ts";
import { CACHE_TAG } from "../stages/select.ts";
import { makeSavePolicy, metadataStyleOf, type SavePolicyOptions } from "./save_policy.ts";

const STAT: FileStat = {
  type: "file",
  mode: 0o644,
  uid: 7,
  gid: 7,
  sizeBytes: 10,
  mtimeNs: "1",
  ctimeNs: "1",
  inode: "1",
  device: "1",
  links: 1,
  allocatedBytes: 10,
  deviceMajor: 0,
  deviceMinor: 0,
};

/** Every path exists, on the device of its first name, and is no folder; `contents` are files that can be read. */
function filesWith(contents: Record<string, string> = {}): FileSystem {
  return {
    lstat: (path: string) => ({ ...STAT, type: "dir", device: path.split("/")[1] ?? "" }),
    statNames(path: string) {
      throw new SystemError("ENOTDIR", "open", path);
    },
    openForReading(path: string) {
      const text = contents[path];
      if (text === undefined) throw new SystemError("ENOENT", "openat", path);
      const data = new TextEncoder().encode(text);
      return {
        read(into: Uint8Array) {
          into.set(data.subarray(0, into.length));
          return Math.min(into.length, data.length);
        },
        close() {},
      };
    },
  } as unknown as FileSystem;
}

const OPTIONS: SavePolicyOptions = {
  selection: { patterns: [], tags: [], excludeCaches: false, largerThanBytes: undefined, oneFileSystem: false },
  compression: "zstd:3",
  compressionRules: [],
  encryption: "aes-256-gcm",
  encryptionRules: [],
  chunkerRules: [],
  recheckPercent: 0,
};

const registry = builtInStages();

function policyWith(options: Partial<SavePolicyOptions>, paths = ["/src"], files = filesWith()) {
  return makeSavePolicy({ ...OPTIONS, ...options }, paths, { files, registry, random: systemRandom }).policy;
}

const stat = (type: FileType, more: Partial<FileStat> = {}): FileStat => ({ ...STAT, type, device: "src", ...more });

Deno.test("select() leaves out files that an interrupted restore left, and nothing that only looks like them", () => {
  const policy = policyWith({});
  const part = ".axiom-part-0123456789abcdef";
  const cases: [string, "file" | "dir" | "symlink", string][] = [
    [part, "file", "exclude"],
    [`sub/${part}`, "file", "exclude"],
    [part, "dir", "save"],
    [part, "symlink", "save"],
    [`${part}0`, "file", "save"],
    [`${part}/inner`, "file", "save"],
    [part.toUpperCase(), "file", "save"],
  ];
  for (const [relative, type, expected] of cases) {
    equal(policy.select(`/src/${relative}`, relative, stat(type)), expected, `${type} ${relative}`);
  }
});

Deno.test("select() follows patterns, sizes and file systems", () => {
  const patterns = flagPatterns(["*.o", "/build"], "--exclude");
  const policy = policyWith({
    selection: { ...OPTIONS.selection, patterns, largerThanBytes: 100, oneFileSystem: true },
  });
  const cases: [relative: string, stat: FileStat, expected: string][] = [
    ["a.c", stat("file"), "save"],
    ["a.o", stat("file"), "exclude"],
    ["sub/a.o", stat("file"), "exclude"],
    ["build", stat("dir"), "exclude"],
    ["large", stat("file", { sizeBytes: 101 }), "exclude"],
    ["mounted", stat("dir", { device: "other" }), "empty"],
    ["mounted.txt", stat("file", { device: "other" }), "save"],
  ];
  for (const [relative, each, expected] of cases) {
    equal(policy.select(`/src/${relative}`, relative, each), expected, relative);
  }
});

Deno.test("each of several sources has its own rules, also the root", () => {
  const patterns = flagPatterns(["/src/build"], "--exclude");
  const policy = policyWith({ selection: { ...OPTIONS.selection, patterns } }, ["/src", "/other"]);
  equal(policy.select("/src/build", "build", stat("dir")), "exclude");
  equal(policy.select("/other/build", "build", stat("dir")), "save");
  equal(policy.select("/other/x/src/build", "x/src/build", stat("dir")), "save");
  const whole = policyWith({ selection: { ...OPTIONS.selection, patterns } }, ["/"]);
  equal(whole.select("/src/build", "src/build", stat("dir")), "exclude");
  throws(() => policy.select("/else/where", "where", stat("dir")), RangeError);
});

Deno.test("a folder with a tag is saved with the tag alone", () => {
  const files = filesWith({ "/src/cache/CACHEDIR.TAG": `${CACHE_TAG.header}\n`, "/src/fake/CACHEDIR.TAG": "no" });
  const policy = policyWith({ selection: { ...OPTIONS.selection, excludeCaches: true } }, ["/src"], files);
  deepEqual(policy.namesToSave("/src/cache", "cache", ["CACHEDIR.TAG", "x"]), ["CACHEDIR.TAG"]);
  deepEqual(policy.namesToSave("/src/fake", "fake", ["CACHEDIR.TAG", "x"]), ["CACHEDIR.TAG", "x"]);
  deepEqual(policy.namesToSave("/src/gone", "gone", ["CACHEDIR.TAG", "x"]), ["CACHEDIR.TAG", "x"]);
  deepEqual(policy.namesToSave("/src", "", ["CACHEDIR.TAG", "x"]), ["CACHEDIR.TAG", "x"]);
});

Deno.test("plan() follows the rules for compression, encryption and chunks", () => {
  const policy = policyWith({
    compressionRules: [{ pattern: "*.log", value: "zstd:19" }],
    encryptionRules: [{ pattern: "/src/public/**", value: "plain" }, { pattern: "*.key", value: "aes-256-ctr" }],
    chunkerRules: [{ pattern: "*.db", value: { algorithm: "fixed-1", block_bytes: 32768 } }],
  });
  const style = { kind: ChunkKind.data, codec: "compression_zstd", level: 3, cipher: "aes-256-gcm-1", owner: 7 };
  deepEqual(policy.plan("/src/a", STAT), { style, chunkerRule: undefined });
  deepEqual(policy.plan("/src/a.log", STAT).style, { ...style, level: 19 });
  deepEqual(policy.plan("/src/public/a", STAT).style, {
    ...style,
    kind: ChunkKind.plain,
    cipher: "plain-hmac-sha256-1",
  });
  deepEqual(policy.plan("/src/a.key", STAT).style.cipher, "aes-256-ctr-hmac-sha256-1");
  deepEqual(policy.plan("/src/a.db", STAT).chunkerRule, { algorithm: "fixed-1", block_bytes: 32768 });
});

Deno.test("what a rule no longer leaves plain, or leaves plain now, is wanted anew", () => {
  const policy = policyWith({ encryptionRules: [{ pattern: "/src/public/**", value: "plain" }] });
  const entry = (content?: object) => ({ name: "a", type: "file", ...(content === undefined ? {} : { content }) });
  const cases: [path: string, content: object | undefined, expected: boolean][] = [
    ["/src/a", { elements: [] }, false],
    ["/src/a", { kind: "plain", elements: [] }, true],
    ["/src/public/a", { kind: "plain", elements: [] }, false],
    ["/src/public/a", { elements: [] }, true],
    ["/src/public/empty", undefined, false],
  ];
  for (const [path, content, expected] of cases) {
    equal(policy.wantsAnew(path, STAT, entry(content) as never), expected, path);
  }
});

Deno.test("about as many are read again as was asked", () => {
  equal(policyWith({ recheckPercent: 0 }).recheck("/src/a"), false);
  equal(policyWith({ recheckPercent: 100 }).recheck("/src/a"), true);
  const { recheck } = policyWith({ recheckPercent: 20 });
  let sampled = 0;
  for (let i = 0; i < 10_000; i++) if (recheck("/src/a")) sampled++;
  ok(sampled > 1700 && sampled < 2300, `${sampled} of 10,000`); // 7.5 standard deviations
});

Deno.test("makeSavePolicy() refuses what cannot be", async (t) => {
  const cases: [name: string, options: Partial<SavePolicyOptions>, message: RegExp][] = [
    ["codec", { compression: "lzma" }, /no codec "lzma"/],
    ["level", { compression: "zstd:99" }, /"99" is not a level/],
    ["cipher", { encryption: "rot13" }, /no such cipher/],
    ["everything plain", { encryption: "plain" }, /names and folders are always sealed/],
    ["codec of a rule", { compressionRules: [{ pattern: "*.x", value: "lzma" }] }, /no codec "lzma"/],
    ["pattern of a rule", { encryptionRules: [{ pattern: "!x", value: "plain" }] }, /cannot be taken back/],
  ];
  for (const [name, options, message] of cases) {
    await t.step(name, () =>
      throws(() => policyWith(options), (error) => {
        ok(error instanceof AxiomError);
        equal(error.kind, "usage");
        match(error.message, message);
        return true;
      }));
  }
});

Deno.test("folders are compressed and sealed whatever files are", () => {
  const style = metadataStyleOf({ compression: "none", encryption: "aes-256-cbc" }, registry);
  deepEqual(style, {
    kind: ChunkKind.tree,
    codec: "compression_zstd",
    level: 3,
    cipher: "aes-256-cbc-hmac-sha256-1",
    owner: -1,
  });
});

Deno.test("(15) a source that comes after the rules were made is saved by them, and nothing of it is left out for its device", () => {
  const late = new Set(["/late"]);
  const files = filesWith();
  const slow: FileSystem = {
    ...files,
    lstat(path: string) {
      if (late.has(path)) throw new SystemError("ENOENT", "statx", path);
      return files.lstat(path);
    },
  };
  const selection = { ...OPTIONS.selection, oneFileSystem: true, patterns: flagPatterns(["/late/tmp"], "--exclude") };
  for (const paths of [["/late"], ["/src", "/late"], ["/src", "/other", "/late"]]) {
    late.add("/late");
    const policy = policyWith({ selection }, paths, slow);
    late.clear();
    const there = (name: string) => policy.select(`/late/${name}`, name, stat("dir", { device: "late" }));
    deepEqual([there("sub"), there("tmp")], ["save", "exclude"], paths.join(" "));
    deepEqual(policy.namesToSave("/late", "", ["a"]), ["a"]);
  }
});

Deno.test("(15) a source that is mounted when it is opened is on the file system that is then there", () => {
  const asked: string[] = [];
  const statNames = (path: string, names: readonly string[]) => {
    asked.push(path, ...names);
    return [{ ...STAT, device: "mounted" }];
  };
  const selection = { ...OPTIONS.selection, oneFileSystem: true };
  const policy = policyWith({ selection }, ["/src"], { ...filesWith(), statNames });
  deepEqual(asked, ["/src", "."]);
  for (const [device, expected] of [["mounted", "save"], ["src", "empty"]]) {
    equal(policy.select("/src/sub", "sub", stat("dir", { device })), expected, device);
  }
});
