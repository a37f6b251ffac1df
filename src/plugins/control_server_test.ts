import { deepStrictEqual as deepEqual, match, rejects, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { systemRandom } from "../base/random.ts";
import { userIds } from "../platform/host.ts";
import { askProcesses } from "./control_client.ts";
import { socketPath } from "./control_folder.ts";
import { type ControlAnswer, readLine, writeAll } from "./control_message.ts";
import { ControlServer } from "./control_server.ts";

userIds(); // loads libc, which then stays

const unix = Deno.build.os !== "windows";
const EMPTY: ControlAnswer = { pid: 7, plugins: [], changes: [] };

function socketTest(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !unix,
    async fn() {
      const outer = await Deno.makeTempDir({ prefix: "axiom-socket-" });
      try {
        await body(join(outer, "run"));
      } finally {
        await Deno.remove(outer, { recursive: true });
      }
    },
  });
}

async function serving(
  folder: string,
  answer: (command: string) => Promise<ControlAnswer>,
  use: (server: ControlServer) => Promise<void>,
): Promise<void> {
  const server = (await ControlServer.start(folder, systemRandom, answer))!;
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

socketTest("processes are asked and answer, in a folder that nobody else can enter", async (folder) => {
  const asked: string[] = [];
  const answer = (command: string) => {
    asked.push(command);
    return Promise.resolve(EMPTY);
  };
  deepEqual(await askProcesses(folder, "list", systemClock), []);
  await serving(folder, answer, async () => {
    equal((await Deno.stat(folder)).mode! & 0o777, 0o700);
    await serving(folder, answer, async () => {
      deepEqual(await askProcesses(folder, "sync", systemClock), [EMPTY, EMPTY]);
    });
    deepEqual(await askProcesses(folder, "list", systemClock), [EMPTY]);
  });
  deepEqual(asked, ["sync", "sync", "list"]);
  deepEqual([...Deno.readDirSync(folder)], []);
});

socketTest("a failure, and a command that nobody knows, are answers", async (folder) => {
  await serving(folder, () => Promise.reject(new Error("no disk")), async ({ path }) => {
    match((await askProcesses(folder, "sync", systemClock))[0].problem!, /no disk/);
    for (
      const line of ["nonsense\n", '{"axiom_control":2,"command":"sync"}\n', '{"axiom_control":1,"command":"load"}\n']
    ) {
      const connection = await Deno.connect({ transport: "unix", path });
      await writeAll(connection, utf8(line));
      match((await readLine(connection))!, /no such command/);
      connection.close();
    }
  });
});

socketTest("a message without an end is given up", async (folder) => {
  await serving(folder, () => Promise.resolve(EMPTY), async ({ path }) => {
    const connection = await Deno.connect({ transport: "unix", path });
    await writeAll(connection, new Uint8Array(LIMITS.controlMessageBytesMax + 1).fill(120)).catch(() => {});
    match((await readLine(connection)) ?? "no such command", /no such command/);
    connection.close();
  });
});

socketTest("a socket that a killed process left is taken away", async (folder) => {
  const server = (await ControlServer.start(folder, systemRandom, () => Promise.resolve(EMPTY)))!;
  const path = join(folder, "99-stale.sock");
  await Deno.rename(server.path, path); // so that it is not taken away as a living process does
  server.listener.close();
  const isOpen = () => Deno.connect({ transport: "unix", path }).then((it) => it.close() === undefined, () => false);
  while (await isOpen()) await new Promise((resolve) => setTimeout(resolve, 1));
  equal([...Deno.readDirSync(folder)].length, 1);
  deepEqual(await askProcesses(folder, "list", systemClock), []);
  deepEqual([...Deno.readDirSync(folder)], []);
});

socketTest("a folder that others may enter is refused by both sides", async (folder) => {
  await Deno.mkdir(folder);
  await Deno.chmod(folder, 0o755);
  const start = () => ControlServer.start(folder, systemRandom, () => Promise.resolve(EMPTY));
  await rejects(start, /others may enter it/);
  await Deno.writeFile(join(folder, "1-a.sock"), new Uint8Array());
  await rejects(() => askProcesses(folder, "list", systemClock), /others may enter it/);
});

Deno.test("a path that is too long for a socket is none", () => {
  equal(socketPath("/x".repeat(60), 1, "a"), undefined);
  equal(socketPath("/run/user/1000/axiom", 1, "a"), "/run/user/1000/axiom/1-a.sock");
});
