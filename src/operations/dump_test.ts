import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { type Bytes, concat, toHex, utf8 } from "../base/bytes.ts";
import { type AxiomEvent, ignoreEvents } from "../base/events.ts";
import { noise, writeFiles } from "../../tests/faults/source_folder.ts";
import { emptyRepository, opened, save, SMALL_PACKS, withFolder } from "../../tests/faults/test_repository.ts";
import { flipBit } from "../../tests/faults/damage.ts";
import { plant } from "../../tests/fixtures/tampering.ts";
import { packKey } from "../model/object_keys.ts";
import { openFileSystem } from "../platform/open_file_system.ts";
import type { Repository } from "../repository/repository.ts";
import { type MemoryStore, memoryStore } from "../storage/memory.ts";
import { dump } from "./dump.ts";

const files = openFileSystem();
const context = { onEvent: ignoreEvents };

async function saved(folder: string): Promise<{ repository: Repository; store: MemoryStore }> {
  const store = memoryStore();
  store.restore(await emptyRepository(SMALL_PACKS));
  const repository = await opened(store);
  await save(repository, folder);
  return { repository, store };
}

async function bytesOf(repository: Repository, path: string, archive = false): Promise<Bytes> {
  const snapshot = (await repository.snapshots()).snapshots.at(-1)!;
  const { bytes } = await dump(repository, { snapshot, path, archive }, context);
  const parts: Bytes[] = [];
  for await (const piece of bytes) parts.push(piece.slice());
  return concat(parts);
}

Deno.test("dump gives the bytes of a file: empty, of one chunk, of many, with holes", async () => {
  await withFolder(async (folder) => {
    const large = noise("large", 300_000);
    writeFiles(folder, { empty: "", small: "small", large, "a\nb": "odd name" });
    const sparse = Deno.openSync(`${folder}/sparse`, { create: true, write: true });
    sparse.truncateSync(5_000_000);
    sparse.seekSync(3_000_000, Deno.SeekMode.Start);
    sparse.writeSync(utf8("in the middle"));
    sparse.close();
    const { repository } = await saved(folder);
    equal((await bytesOf(repository, `${folder}/empty`)).length, 0);
    deepEqual(await bytesOf(repository, `${folder}/small`), utf8("small"));
    deepEqual(await bytesOf(repository, `${folder}/a\nb`), utf8("odd name"));
    equal(toHex(await hash(await bytesOf(repository, `${folder}/large`))), toHex(await hash(large)));
    const whole = await bytesOf(repository, `${folder}/sparse`);
    equal(toHex(await hash(whole)), toHex(await hash(Deno.readFileSync(`${folder}/sparse`))));
    await rejects(bytesOf(repository, `${folder}/missing`), { kind: "path_missing" });
  });
});

async function hash(data: Bytes): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

Deno.test("dump of a file whose pack is gone fails before its first byte", async () => {
  await withFolder(async (folder) => {
    writeFiles(folder, { large: noise("large", 300_000) });
    const { repository, store } = await saved(folder);
    const view = await repository.loadIndex();
    const isData = (name: string) => view.index.pack(name)!.kinds === 1;
    const lost = [...view.listed.keys()].filter(isData).map((name) => `packs/${name.slice(0, 2)}/${name}`);
    for (const key of lost) plant(store, key, undefined);
    for (const key of store.snapshot().keys()) if (key.startsWith("index/")) plant(store, key, undefined);
    await rejects(bytesOf(await opened(store), `${folder}/large`), { kind: "object_missing" });
    const snapshot = (await repository.snapshots()).snapshots[0];
    const events: AxiomEvent[] = [];
    const onEvent = (event: AxiomEvent) => events.push(event);
    const { bytes } = await dump(await opened(store), { snapshot, path: folder, archive: false }, { onEvent });
    const archive = concat(await Array.fromAsync(bytes, (piece) => piece.slice()));
    equal(archive.length % 512, 0);
    const failed = events.filter((event) => event.type === "error").map((event) => event.path);
    ok(lost.length > 0);
    deepEqual(failed, [`${folder}/large`]);
  });
});

Deno.test("(43) a flipped bit ends a dump, and so does whoever asked for it", async () => {
  await withFolder(async (folder) => {
    writeFiles(folder, { large: noise("large", 300_000) });
    const { repository, store } = await saved(folder);
    const view = await repository.loadIndex();
    const name = [...view.listed.keys()].find((each) => view.index.pack(each)!.kinds === 1)!;
    await flipBit(store, packKey(name), 8 * 1000);
    await rejects(bytesOf(await opened(store), `${folder}/large`), { kind: "data_damaged" });
    const controller = new AbortController();
    const snapshot = (await repository.snapshots()).snapshots[0];
    const options = { snapshot, path: `${folder}/large`, archive: false };
    const { bytes } = await dump(repository, options, { ...context, signal: controller.signal });
    controller.abort();
    await rejects(bytes.next(), { kind: "interrupted" });
  });
});

const gnuTar = isGnuTar();

function isGnuTar(): boolean {
  try {
    const { stdout } = new Deno.Command("tar", { args: ["--version"] }).outputSync();
    return new TextDecoder().decode(stdout).includes("GNU tar");
  } catch {
    return false;
  }
}

/** Everything that an archive can carry; what this system does not allow is left out. */
function writeAllKinds(folder: string): void {
  const long = "long ".repeat(40).trim();
  writeFiles(folder, {
    "file": "content",
    "empty": "",
    "big": noise("big", 100_000),
    [`${long}/${long}`]: "in a long path",
    "ünï/e\u0301": "not ASCII",
    "new\nline": "x",
  });
  const target = files.openTarget(folder);
  const odd = target.createFile("raw \udcff\udc80");
  odd.write(utf8("not UTF-8"), 0);
  odd.close();
  target.makeSymlink("link", "file");
  target.makeSymlink("long link", "x".repeat(150));
  target.makeSymlink("raw link", "raw \udcff\udc80");
  target.makeLink("hard", "big");
  target.makeLink("raw hard", "raw \udcff\udc80");
  target.makeNode("fifo", "fifo", 0, 0);
  const nodes = [["null", "chardev", 1, 3], ["loop", "blockdev", 7, 300]] as const;
  if (Deno.uid() === 0) { for (const [name, type, major, minor] of nodes) target.makeNode(name, type, major, minor); }
  const xattrs = [{ name: "user.plain", value: utf8("value") }, {
    name: "user.a=b%c",
    value: Uint8Array.of(0, 10, 255),
  }];
  const large = { name: "user.large", value: noise("xattr", 6000) };
  target.setMetadata("file", {
    mode: 0o4750,
    uid: 3_000_000,
    gid: 65534,
    mtimeNs: "1234567890123456789",
    xattrs: [...xattrs, large],
  });
  target.setMetadata("empty", { mode: 0o400, mtimeNs: "-1500000000" });
  target.setMetadata("big", { mode: 0o644, mtimeNs: "4000000000000000000" });
  target.setMetadata("link", { mode: 0o777, mtimeNs: "1000000000000000001" });
  target.setMetadata("ünï", { mode: 0o1777, mtimeNs: "1100000000000000000", xattrs });
  target.close();
}

/** What of each entry an archive must carry, by path. */
function picture(folder: string, at = ""): Map<string, unknown> {
  const result = new Map<string, unknown>();
  for (const name of files.readNames(`${folder}/${at}`).sort()) {
    const path = at === "" ? name : `${at}/${name}`;
    const whole = `${folder}/${path}`;
    const stat = files.lstat(whole);
    const { type, mode, uid, gid, mtimeNs, sizeBytes, links, deviceMajor, deviceMinor } = stat;
    const xattrs = type === "fifo" ? [] : files.xattrs(whole).map(({ name, value }) => `${name} ${toHex(value)}`);
    const common = { type, mode, uid, gid, mtimeNs, deviceMajor, deviceMinor, xattrs };
    if (type === "dir") {
      result.set(path, common);
      for (const [below, seen] of picture(folder, path)) result.set(below, seen);
    } else if (type === "file") {
      const source = files.openForReading(whole);
      const content = new Uint8Array(sizeBytes);
      source.read(content, 0);
      source.close();
      result.set(path, { ...common, links, sizeBytes, content: toHex(content) });
    } else result.set(path, { ...common, links, target: type === "symlink" ? files.readLink(whole) : undefined });
  }
  return result;
}

async function extract(archive: Bytes, target: string, flags = ["--xattrs", "--xattrs-include=*"]): Promise<string> {
  const args = ["-x", "-p", "-f", "-", "-C", target, ...flags, "--warning=no-timestamp"];
  const command = new Deno.Command("tar", { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = command.stdin.getWriter();
  await writer.write(archive);
  await writer.close();
  const { code, stdout, stderr } = await command.output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  equal(code, 0, said);
  return said;
}

Deno.test({
  name: "a dumped folder, taken apart by GNU tar, is the folder",
  ignore: !gnuTar || !files.fidelity.rawNames, // nothing else here reads all of it
  fn: async () => {
    await withFolder(async (folder) => {
      const source = `${folder}/source`;
      const target = `${folder}/target`;
      Deno.mkdirSync(source);
      Deno.mkdirSync(target);
      writeAllKinds(source);
      const { repository } = await saved(source);
      const archive = await bytesOf(repository, source);
      equal(archive.length % 10240, 0);
      // Two names and one target are not UTF-8; POSIX asks for the word that GNU tar does not know.
      const said = (await extract(archive, target)).split("\n").filter((line) => line !== "");
      ok(said.every((line) => line.endsWith("Ignoring unknown extended header keyword 'hdrcharset'")), said.join("\n"));
      const expected = picture(source);
      const seen = picture(target);
      deepEqual([...seen.keys()], [...expected.keys()]);
      for (const [path, entry] of expected) deepEqual(seen.get(path), entry, path);
      const [before, after] = [files.lstat(source), files.lstat(target)];
      deepEqual([after.mode, after.mtimeNs], [before.mode, before.mtimeNs]);
    });
  },
});

const hasAcls = gnuTar && Deno.build.os === "linux" && canRun("setfacl") && canRun("getfacl");

function canRun(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

function aclsOf(folder: string): string {
  const { stdout } = new Deno.Command("getfacl", { args: ["-R", "-n", "."], cwd: folder }).outputSync();
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "GNU tar brings ACLs of a dumped folder back: by --acls, by --xattrs, by both",
  ignore: !hasAcls,
  fn: async (t) => {
    await withFolder(async (folder) => {
      const source = `${folder}/source`;
      writeFiles(source, { file: "content", "folder/below": "x" });
      const change = (...args: string[]) => new Deno.Command("setfacl", { args, cwd: source }).outputSync().success;
      if (!change("-m", "u:1234:rwx,g:4321:r--", "file", "folder")) return; // a file system without ACLs
      ok(change("-d", "-m", "u:1234:r-x", "folder"));
      const { repository } = await saved(source);
      const archive = await bytesOf(repository, source);
      const xattrs = ["--xattrs", "--xattrs-include=*"];
      for (const flags of [["--acls"], xattrs, ["--acls", ...xattrs]]) {
        await t.step(flags.join(" "), async () => {
          const target = `${folder}/${flags.length}`;
          Deno.mkdirSync(target);
          await extract(archive, target, flags);
          equal(aclsOf(target), aclsOf(source));
          ok(aclsOf(target).includes("user:1234:rwx"));
        });
      }
    });
  },
});

Deno.test({
  name: "a single file as an archive; sockets are left out with a word",
  ignore: !gnuTar || Deno.build.os === "windows",
  fn: async () => {
    await withFolder(async (folder) => {
      Deno.mkdirSync(`${folder}/source`);
      Deno.mkdirSync(`${folder}/target`);
      writeFiles(`${folder}/source`, { file: "content" });
      const socket = Deno.listen({ transport: "unix", path: `${folder}/source/socket` });
      const { repository } = await saved(`${folder}/source`);
      socket.close();
      const events: AxiomEvent[] = [];
      const snapshot = (await repository.snapshots()).snapshots[0];
      const onEvent = (event: AxiomEvent) => events.push(event);
      const whole = await dump(repository, { snapshot, path: `${folder}/source`, archive: false }, { onEvent });
      for await (const piece of whole.bytes) ok(piece.length > 0);
      deepEqual(events.filter(({ type }) => type === "warning").map((event) => "code" in event && event.code), [
        "tar_socket",
      ]);
      await extract(await bytesOf(repository, `${folder}/source/file`, true), `${folder}/target`);
      equal(Deno.readTextFileSync(`${folder}/target/file`), "content");
    });
  },
});
