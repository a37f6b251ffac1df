import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { type Random, randomId } from "../base/random.ts";
import { privateFolder, socketPath } from "./control_folder.ts";
import {
  type ControlAnswer,
  type ControlCommand,
  decodeCommand,
  encodeAnswer,
  readLine,
  writeAll,
} from "./control_message.ts";

/** Listens to other processes of this user. Does not keep this one alive. */
export class ControlServer {
  #connections = 0;

  private constructor(
    readonly path: string,
    readonly listener: Deno.UnixListener,
    readonly answer: (command: ControlCommand) => Promise<ControlAnswer>,
  ) {
    listener.unref?.();
    void this.#serve();
  }

  /** Undefined where this machine has no such sockets, or no path that is short enough. Throws `plugin_refused`. */
  static async start(
    folder: string,
    random: Random,
    answer: (command: ControlCommand) => Promise<ControlAnswer>,
  ): Promise<ControlServer | undefined> {
    if (Deno.build.os === "windows") return undefined;
    await privateFolder(folder);
    const path = socketPath(folder, Deno.pid, randomId(random).slice(0, 8));
    if (path === undefined) return undefined;
    return new ControlServer(path, Deno.listen({ transport: "unix", path }), answer);
  }

  async #serve(): Promise<void> {
    try {
      for await (const connection of this.listener) {
        if (this.#connections >= LIMITS.controlConnectionsMax) connection.close();
        else void this.#converse(connection);
      }
    } catch {
      return; // closed
    }
  }

  async #converse(connection: Deno.Conn): Promise<void> {
    this.#connections++;
    try {
      const line = await readLine(connection);
      const command = line === undefined ? undefined : decodeCommand(line);
      const failed = (problem: string) => ({ pid: Deno.pid, plugins: [], changes: [], problem });
      const answer = command === undefined
        ? failed("it knows no such command; it may be of another version")
        : await this.answer(command).catch((error) => failed(messageOf(error)));
      await writeAll(connection, encodeAnswer(answer));
    } catch {
      return; // whoever asked has gone
    } finally {
      this.#connections--;
      connection.close();
    }
  }

  async close(): Promise<void> {
    this.listener.close();
    await Deno.remove(this.path).catch(() => {}); // whoever finds it refused takes it away
  }
}
