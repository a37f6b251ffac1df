/** Plugins from their author's key to their removal, as people do it. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { pluginModule } from "../../src/plugins/wasm_fixture.ts";
import { type Ended, type Machine, onMachine } from "./program.ts";

const windows = Deno.build.os === "windows";

async function writePlugin(path: string, version: string, capabilities: unknown[]): Promise<void> {
  const section = manifestSection({
    plugin_id: "storage_dav",
    version,
    category: "storage",
    description: "Stores on a server",
    format_id: undefined,
    capabilities,
  });
  await Deno.writeFile(path, pluginModule({ sections: [section] }));
}

const HTTP = { name: "net.http", methods: ["GET", "PUT"], reason: "it stores there" };
const CLOCK = { name: "clock" };

/** Runs `axiom plugin …`, and demands its exit code. */
function pluginCommand(machine: Machine, env: Record<string, string> = {}) {
  return async (code: number, ...args: string[]): Promise<Ended> => {
    const ended = await machine.run(["plugin", ...args], { env });
    equal(ended.code, code, `plugin ${args.join(" ")}: ${ended.stderr}${ended.stdout}`);
    ok(!/\bat (file|ext):|\.ts:\d+/.test(ended.stderr), ended.stderr);
    return ended;
  };
}

Deno.test(
  "a signed plugin is loaded, granted, replaced, rolled back, revoked and unloaded",
  onMachine(async (machine) => {
    const unknowing = pluginCommand(machine);
    const made = (await unknowing(0, "keygen", "author", "--json")).json();
    match(made.key_id, /^[0-9A-F]{16}$/);
    if (!windows) equal(Deno.statSync(machine.path("author.key")).mode! & 0o777, 0o600);
    await unknowing(1, "keygen", "author");

    await writePlugin(machine.path("one.wasm"), "1.0.0", [HTTP]);
    await writePlugin(machine.path("two.wasm"), "2.0.0", [HTTP, CLOCK]);
    for (const name of ["one", "two"]) await unknowing(0, "sign", "-s", "author.key", `${name}.wasm`);

    match((await unknowing(14, "verify", "one.wasm")).stderr, /signed with the key [0-9A-F]{16}, which is not trusted/);
    equal((await unknowing(0, "verify", "--key", "author.pub", "one.wasm", "--json")).json().key_id, made.key_id);
    equal((await unknowing(0, "verify", "--key", made.public_key, "one.wasm", "--json")).json().version, "1.0.0");

    const plugin = pluginCommand(machine, {
      AXIOM_CONFIG_PLUGINS_POLICY: "require",
      AXIOM_CONFIG_PLUGINS_TRUSTED_KEYS: `storage_=${made.public_key}`,
    });
    const loaded = await plugin(0, "load", "one.wasm");
    equal(loaded.stderr, "");
    match(loaded.stdout, /^Loaded storage_dav 1\.0\.0: Stores on a server\nSigned with the trusted key [0-9A-F]{16}\n/);
    match(loaded.stdout, /requests over the network to hosts that you name.* with GET, PUT .*"it stores there"/);
    match(loaded.stdout, /plugin grant --all --host <host> storage_dav\n$/);

    match((await plugin(2, "grant", "storage_dav")).stderr, /none is named\. It asks to\n.*send requests/);
    await plugin(0, "grant", "--all", "--host", "nas.example:8443", "storage_dav");
    const [ready] = (await plugin(0, "list", "--json")).json();
    deepEqual([ready.plugin_id, ready.version, ready.category, ready.state], [
      "storage_dav",
      "1.0.0",
      "storage",
      "ready",
    ]);
    deepEqual(ready.grants, [{ name: "net.http", hosts: ["nas.example:8443"], methods: ["GET", "PUT"] }]);

    match((await plugin(14, "load", "two.wasm")).stderr, /1\.0\.0 .* is there\n {2}hint: .*plugin replace/);
    match((await plugin(0, "replace", "two.wasm")).stdout, /in the place of 1\.0\.0.*\n[^]*know the time/);
    match((await plugin(0, "list")).stdout, /storage_dav +2\.0\.0 +storage +[0-9A-F]{16} +held: asks to know the time/);
    const doctor = await machine.run(["doctor"]);
    match(
      doctor.stdout,
      /look +plugins +storage_dav 2\.0\.0 waits until it is granted clock\n +Run `axiom plugin info storage_dav`/,
    );
    await plugin(0, "rollback", "storage_dav");
    match((await plugin(0, "list")).stdout, /storage_dav +1\.0\.0 .* ready/);

    const revoked = pluginCommand(machine, { AXIOM_CONFIG_PLUGINS_REVOKED: made.key_id });
    match((await revoked(14, "list")).stdout, /refused: .*key [0-9A-F]{16} was revoked/);
    await plugin(0, "revoke", "--all", "storage_dav");
    match((await plugin(0, "list")).stdout, /held: asks to send requests/);
    await plugin(0, "unload", "storage_dav");
    equal((await plugin(0, "list")).stdout, "No plugin is installed\n");
    match((await plugin(14, "unload", "storage_dav")).stderr, /none is installed/);
  }),
);

Deno.test(
  "what is not signed, or not by whom it should be, is told or refused as the policy says",
  onMachine(async (machine) => {
    const plugin = pluginCommand(machine);
    await writePlugin(machine.path("bare.wasm"), "1.0.0", []);
    match(
      (await plugin(0, "load", "bare.wasm")).stderr,
      /warning: .*storage_dav 1\.0\.0 .*without a trusted signature: it is not signed/,
    );
    const required = pluginCommand(machine, { AXIOM_CONFIG_PLUGINS_POLICY: "require" });
    match((await required(14, "list")).stdout, /refused: .*not signed/);
    await plugin(0, "keygen", "author");
    await writePlugin(machine.path("other.wasm"), "1.1.0", []);
    await plugin(0, "sign", "-s", "author.key", "other.wasm");
    await Deno.rename(machine.path("other.wasm.minisig"), machine.path("bare.wasm.minisig"));
    const text = await Deno.readTextFile(machine.path("author.pub"));
    const trusting = pluginCommand(machine, { AXIOM_CONFIG_PLUGINS_TRUSTED_KEYS: `*=${text.split("\n")[1]}` });
    match(
      (await trusting(14, "replace", "bare.wasm")).stderr,
      /storage_dav 1\.0\.0 \(sha256 .*signature .* is wrong: it does not match/,
    );
    match(
      (await plugin(1, "load", "--signature", "gone", "bare.wasm")).stderr,
      /signature .*gone: there is no such file/,
    );
    match((await plugin(1, "load", "gone.wasm")).stderr, /there is no such file/);
    match((await plugin(2, "sign", "-s", "author.pub", "bare.wasm")).stderr, /Cannot use the secret key .*author\.pub/);
  }),
);

Deno.test({
  name: "minisign verifies what is signed here, and the other way round (skipped where minisign is not installed)",
  ignore: !hasMinisign(),
  fn: onMachine(async (machine) => {
    const plugin = pluginCommand(machine);
    const minisign = async (...args: string[]) => {
      const output = await new Deno.Command("minisign", { args, cwd: machine.folder, stdin: "null" }).output();
      equal(output.code, 0, new TextDecoder().decode(output.stderr));
    };
    await writePlugin(machine.path("a.wasm"), "1.0.0", []);
    await plugin(0, "keygen", "ours");
    await plugin(0, "sign", "-s", "ours.key", "a.wasm");
    await minisign("-V", "-p", "ours.pub", "-m", "a.wasm");
    await minisign("-G", "-W", "-p", "theirs.pub", "-s", "theirs.key");
    const { sha256 } = (await plugin(0, "info", "--json", "a.wasm")).json();
    await minisign("-S", "-s", "theirs.key", "-m", "a.wasm", "-t", `axiom:1 storage_dav@1.0.0 sha256:${sha256}`);
    await plugin(0, "verify", "--key", "theirs.pub", "a.wasm");
    await plugin(14, "verify", "--key", "ours.pub", "a.wasm");
    await plugin(0, "sign", "-s", "theirs.key", "a.wasm");
    await minisign("-V", "-p", "theirs.pub", "-m", "a.wasm");
  }),
});

Deno.test({
  name: "a process that is killed while it replaces a plugin leaves one generation or the other",
  ignore: windows, // no kill -9 there
  fn: onMachine(async (machine) => {
    const env = { XDG_DATA_HOME: machine.path("data") };
    const plugin = pluginCommand(machine, env);
    for (const [name, version] of [["one", "1.0.0"], ["two", "2.0.0"]]) {
      await writePlugin(machine.path(`${name}.wasm`), version, []);
    }
    await plugin(0, "load", "one.wasm");
    const folder = join(env.XDG_DATA_HOME, "axiom", "plugins");
    const times = 6;
    for (let at = 0; at < times; at++) {
      const child = machine.command(["plugin", "replace", at % 2 === 0 ? "two.wasm" : "one.wasm"], { env }).spawn();
      const before = await Deno.readTextFile(join(folder, "plugins.lock"));
      while (await isUntouched(folder, before, child)) continue;
      try {
        child.kill("SIGKILL");
      } catch {
        // It was faster.
      }
      await child.output();
      const [{ state, version }] = (await plugin(0, "list", "--json")).json();
      equal(state, "ready");
      match(version, /^[12]\.0\.0$/);
    }
    await plugin(0, "replace", "two.wasm");
    await plugin(0, "unload", "storage_dav");
    deepEqual([...Deno.readDirSync(join(folder, "modules"))], []);
  }),
});

/** Until the first file of the change appears, or it is over. */
async function isUntouched(folder: string, before: string, child: Deno.ChildProcess): Promise<boolean> {
  const names = [...Deno.readDirSync(folder), ...Deno.readDirSync(join(folder, "modules"))].map(({ name }) => name);
  if (names.some((name) => /\.[0-9a-f-]{36}$/.test(name))) return false;
  if (await Deno.readTextFile(join(folder, "plugins.lock")) !== before) return false;
  const pause = new Promise<true>((resolve) => setTimeout(() => resolve(true), 1));
  return await Promise.race([pause, child.status.then(() => false)]);
}

function hasMinisign(): boolean {
  try {
    return new Deno.Command("minisign", { args: ["-v"], stdout: "null", stderr: "null" }).outputSync().code === 0;
  } catch {
    return false;
  }
}
