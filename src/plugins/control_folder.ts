import { join } from "node:path";
import { AxiomError, messageOf } from "../base/errors.ts";
import { userIds } from "../platform/host.ts";

const OTHERS = 0o077;
export const SOCKET_SUFFIX = ".sock";
/** What the address of a socket can hold, on macOS and on Linux alike. */
const SOCKET_PATH_BYTES_MAX = 103;

/**
 * Makes the folder in which processes of this user meet, if it is not there, and makes sure that nobody else can enter it: a
 * socket itself is open to whoever can reach it. Throws `plugin_refused`.
 */
export async function privateFolder(path: string): Promise<void> {
  const refuse = (why: string, cause?: unknown) =>
    new AxiomError("plugin_refused", `Cannot use the folder ${path} for sockets: ${why}`, {
      hint: "Take it away, or set XDG_RUNTIME_DIR to a folder of your own",
      cause,
    });
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    const info = await Deno.lstat(path), ids = userIds();
    if (!info.isDirectory) throw refuse("it is no folder");
    if (ids !== undefined && info.uid !== ids.uid) throw refuse(`it belongs to the user ${info.uid}`);
    if ((info.mode! & OTHERS) === 0) return;
  } catch (error) {
    if (error instanceof AxiomError) throw error;
    throw refuse(messageOf(error), error);
  }
  throw refuse("others may enter it");
}

/** Of this process; undefined where its path is too long for a socket. */
export function socketPath(folder: string, pid: number, id: string): string | undefined {
  const path = join(folder, `${pid}-${id}${SOCKET_SUFFIX}`);
  return new TextEncoder().encode(path).length > SOCKET_PATH_BYTES_MAX ? undefined : path;
}
