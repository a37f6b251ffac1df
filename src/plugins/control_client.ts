import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { privateFolder, SOCKET_SUFFIX } from "./control_folder.ts";
import {
  type ControlAnswer,
  type ControlCommand,
  decodeAnswer,
  encodeCommand,
  readLine,
  writeAll,
} from "./control_message.ts";

/** Asks every running process of this user. One that has gone is none; one that does not answer is a problem of its own. */
export async function askProcesses(folder: string, command: ControlCommand, clock: Clock): Promise<ControlAnswer[]> {
  if (Deno.build.os === "windows") return [];
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) if (name.endsWith(SOCKET_SUFFIX)) names.push(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  if (names.length === 0) return [];
  await privateFolder(folder);
  const answers = await Promise.all(names.sort().map((name) => ask(join(folder, name), pidOf(name), command, clock)));
  return answers.filter((answer) => answer !== undefined);
}

function pidOf(name: string): number {
  return Number.parseInt(name, 10) || 0;
}

async function ask(
  path: string,
  pid: number,
  command: ControlCommand,
  clock: Clock,
): Promise<ControlAnswer | undefined> {
  const problem = (text: string) => ({ pid, plugins: [], changes: [], problem: text });
  let connection: Deno.Conn;
  try {
    connection = await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (!(error instanceof Deno.errors.ConnectionRefused)) return problem(messageOf(error));
    await Deno.remove(path).catch(() => {}); // left by a process that was killed
    return undefined;
  }
  const over = new AbortController();
  try {
    const late = clock.sleep(LIMITS.controlAnswerMs, over.signal).then(
      () => problem("it does not answer"),
      () => undefined,
    );
    return await Promise.race([converse(connection, command, problem), late]);
  } catch (error) {
    return problem(messageOf(error));
  } finally {
    over.abort();
    connection.close();
  }
}

async function converse(
  connection: Deno.Conn,
  command: ControlCommand,
  problem: (text: string) => ControlAnswer,
): Promise<ControlAnswer> {
  await writeAll(connection, encodeCommand(command));
  const line = await readLine(connection);
  return (line === undefined ? undefined : decodeAnswer(line)) ?? problem("its answer cannot be read");
}
