import { deepStrictEqual as deepEqual, match, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { userIds } from "../platform/host.ts";
import { type PluginBytes, pluginFolder, sha256Of } from "./plugin_folder.ts";
import type { LockedPlugin } from "./plugins_lock.ts";

userIds(); // loads the C library once, outside of every test

const windows = Deno.build.os === "windows";

function moduleOf(text: string, signature?: string): PluginBytes {
  const bytes = utf8(text);
  return { bytes, sha256: sha256Of(bytes), signature };
}

function entry(pluginId: string, { sha256 }: PluginBytes): LockedPlugin {
  return { pluginId, version: "1.0.0", sha256, key: null, grants: [] };
}

async function inFolder(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(join(folder, "data", "plugins"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function modules(path: string): string[] {
  return [...Deno.readDirSync(join(path, "modules"))].map(({ name }) => name).sort();
}

function refused(message: RegExp) {
  return (error: unknown) => {
    ok(error instanceof AxiomError && error.kind === "plugin_refused" && error.hint !== undefined, String(error));
    match(error.message, message);
    return true;
  };
}

Deno.test("a module and its signature come back as they were put, in files of this user alone", () =>
  inFolder(async (path) => {
    const folder = pluginFolder(path);
    deepEqual(await folder.list(), []);
    const one = moduleOf("one", "signature"), two = moduleOf("two");
    const plugins = [entry("plugin_one", one), entry("plugin_two", two)];
    await folder.change(() => plugins, [one, two]);
    deepEqual(await folder.list(), plugins);
    deepEqual(await folder.open(plugins[0]), one);
    deepEqual(await folder.open(plugins[1]), two);
    if (windows) return;
    for (const [name, mode] of [["", 0o700], ["modules", 0o700], ["plugins.lock", 0o600], ["guard", 0o600]] as const) {
      equal(Deno.lstatSync(join(path, name)).mode! & 0o777, mode, name);
    }
    equal(Deno.lstatSync(join(path, "modules", `${one.sha256}.wasm`)).mode! & 0o777, 0o600);
  }));

Deno.test("a module that was changed, or is gone, is refused by name, version and hash", () =>
  inFolder(async (path) => {
    const folder = pluginFolder(path), one = moduleOf("one"), plugin = entry("plugin_one", one);
    await folder.change(() => [plugin], [one]);
    const file = join(path, "modules", `${one.sha256}.wasm`);
    await Deno.writeTextFile(file, "two");
    await rejects(folder.open(plugin), refused(/plugin_one 1\.0\.0 \(sha256 [0-9a-f]{12}\): its file was changed/));
    await Deno.remove(file);
    await rejects(folder.open(plugin), refused(/plugin_one 1\.0\.0 .*: its file is gone/));
  }));

Deno.test("what the lock does not name goes, also after a process that was killed", () =>
  inFolder(async (path) => {
    const folder = pluginFolder(path), one = moduleOf("one", "s"), two = moduleOf("two"), three = moduleOf("three");
    await folder.change(() => [entry("plugin_one", one)], [one]);
    await Deno.writeTextFile(join(path, "modules", `${three.sha256}.wasm`), "three"); // killed before the lock named it
    await Deno.writeTextFile(join(path, "modules", `${one.sha256}.wasm.2f1c`), "on"); // killed while it wrote
    const { pluginId: _, ...previous } = entry("plugin_one", one);
    await folder.change(() => [{ ...entry("plugin_one", two), previous }], [two]);
    deepEqual(modules(path), [`${one.sha256}.wasm`, `${one.sha256}.wasm.minisig`, `${two.sha256}.wasm`].sort());
    await folder.change(() => []);
    deepEqual(modules(path), []);
  }));

Deno.test("a change that fails changes nothing", () =>
  inFolder(async (path) => {
    const folder = pluginFolder(path), one = moduleOf("one"), two = moduleOf("two");
    const plugins = [entry("plugin_one", one)];
    await folder.change(() => plugins, [one]);
    await rejects(
      folder.change(() => {
        throw new AxiomError("plugin_missing", "no");
      }, [two]),
      /no/,
    );
    deepEqual(await folder.list(), plugins);
    deepEqual(modules(path), [`${one.sha256}.wasm`]);
  }));

Deno.test("of many changes at once none is lost", () =>
  inFolder(async (path) => {
    const all = Array.from({ length: 20 }, (_, at) => moduleOf(`${at}`));
    await Promise.all(all.map((module, at) => {
      const id = `plugin_${String(at).padStart(2, "0")}`;
      return pluginFolder(path).change((plugins) => [...plugins, entry(id, module)], [module]);
    }));
    const plugins = await pluginFolder(path).list();
    deepEqual(plugins.map(({ sha256 }) => sha256), all.map(({ sha256 }) => sha256));
    for (const plugin of plugins) await pluginFolder(path).open(plugin);
  }));

Deno.test("a lock that cannot be understood is refused, and kept", () =>
  inFolder(async (path) => {
    const folder = pluginFolder(path);
    await folder.change(() => []);
    await Deno.writeTextFile(join(path, "plugins.lock"), "{}");
    await rejects(folder.list(), refused(/what .*plugins\.lock says of plugins: it has no version/));
    await rejects(folder.change(() => []), refused(/it has no version/));
    equal(await Deno.readTextFile(join(path, "plugins.lock")), "{}");
  }));

Deno.test({
  name: "a folder in which others may write is not trusted",
  ignore: windows, // no modes there
  fn: () =>
    inFolder(async (path) => {
      const folder = pluginFolder(path);
      await folder.change(() => []);
      for (const mode of [0o770, 0o702]) {
        await Deno.chmod(path, mode);
        await rejects(folder.list(), refused(new RegExp(`its mode ${mode.toString(8)} lets others write`)));
        await rejects(folder.change(() => []), refused(/lets others write/));
      }
      await Deno.chmod(path, 0o755);
      deepEqual(await folder.list(), []);
    }),
});

Deno.test("a place that is no folder is told as such", () =>
  inFolder(async (path) => {
    await Deno.mkdir(join(path, ".."));
    await Deno.writeTextFile(path, "");
    await rejects(
      pluginFolder(path).change(() => []),
      (error) =>
        error instanceof AxiomError && error.kind === "storage_failed" && /is a file, not a folder/.test(error.message),
    );
  }));
