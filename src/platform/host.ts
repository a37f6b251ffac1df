import { readCString } from "./c_string.ts";
import { Libc } from "./libc.ts";
import { findLibc, openFileSystem } from "./open_file_system.ts";

const HOST_NAME_BYTES_MAX = 256;

/** Name of this machine, `unknown` where no permission allows to find it. Never asks for one. */
export function hostName(): string {
  if (isGranted({ name: "sys", kind: "hostname" })) return Deno.hostname();
  const libc = findLibc();
  if (libc instanceof Libc) {
    const buffer = new Uint8Array(new ArrayBuffer(HOST_NAME_BYTES_MAX));
    if (libc.symbols.gethostname(buffer, BigInt(buffer.length - 1)) === 0) return readCString(buffer);
  }
  return environment("HOSTNAME", "COMPUTERNAME") ?? "unknown";
}

/** Effective user and group; undefined on Windows, and where no permission allows to find them. */
export function userIds(): { uid: number; gid: number } | undefined {
  const libc = findLibc();
  if (libc instanceof Libc) return { uid: libc.symbols.geteuid(), gid: libc.symbols.getegid() };
  if (!isGranted({ name: "sys", kind: "uid" }) || !isGranted({ name: "sys", kind: "gid" })) return undefined;
  const uid = Deno.uid(), gid = Deno.gid();
  return uid === null || gid === null ? undefined : { uid, gid };
}

/** Name of the effective user; undefined where it has none that can be found. */
export function userName(): string | undefined {
  const ids = userIds();
  const name = ids === undefined ? undefined : openFileSystem().userName(ids.uid);
  return name ?? environment("USER", "USERNAME", "LOGNAME");
}

function environment(...names: string[]): string | undefined {
  for (const variable of names) {
    if (!isGranted({ name: "env", variable })) continue;
    const value = Deno.env.get(variable);
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}

function isGranted(permission: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}
