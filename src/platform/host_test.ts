import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { isLinux, shell } from "./file_system_fixture.ts";
import { hostName, userIds, userName } from "./host.ts";

Deno.test({
  name: "host and user agree with the system's own programs",
  ignore: !isLinux,
  fn() {
    equal(hostName(), shell("/", "uname -n"));
    deepEqual(userIds(), { uid: Number(shell("/", "id -u")), gid: Number(shell("/", "id -g")) });
    equal(userName(), shell("/", "id -un"));
  },
});

const PROGRAM = `
  import { hostName, userIds, userName } from ${JSON.stringify(import.meta.resolve("./host.ts"))};
  import { openFileSystem } from ${JSON.stringify(import.meta.resolve("./open_file_system.ts"))};
  const { implementation, reason } = openFileSystem().fidelity;
  console.log(JSON.stringify({ host: hostName(), user: userName(), ids: userIds(), implementation, reason }));
`;

Deno.test({
  name: "without permissions nothing is asked for and nothing fails",
  ignore: !isLinux,
  async fn(t) {
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(file, PROGRAM);
    const uid = Number(shell("/", "id -u")), gid = Number(shell("/", "id -g")), user = shell("/", "id -un");
    const known = { host: shell("/", "uname -n"), user, ids: { uid, gid } };
    const { LIBC_PATHS } = await import("./libc.ts");
    const libraries = `--allow-ffi=${LIBC_PATHS[Deno.build.arch].join(",")}`;
    const portable = { implementation: "portable", reason: "--allow-ffi was not granted" };
    const cases: [string, string[], Record<string, unknown>][] = [
      ["none", [], { host: "unknown", ...portable }],
      ["the C library", [libraries], { ...known, implementation: "linux/libc" }],
      ["system and files", ["--allow-sys", "--allow-read"], { ...known, ...portable }],
      ["FFI denied", ["-A", "--deny-ffi"], { ...known, ...portable }],
    ];
    for (const [name, permissions, expected] of cases) {
      await t.step(name, async () => {
        const args = ["run", "--no-check", ...permissions, file];
        const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
        equal(new TextDecoder().decode(stderr), "");
        deepEqual(JSON.parse(new TextDecoder().decode(stdout)), expected);
      });
    }
    await Deno.remove(file);
  },
});
