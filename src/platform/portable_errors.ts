import { SystemError } from "./file_system.ts";

/** By the class that Deno throws where it gives no code. */
const CODES: readonly [keyof typeof Deno.errors, string][] = [
  ["NotFound", "ENOENT"],
  ["AlreadyExists", "EEXIST"],
  ["PermissionDenied", "EACCES"],
  ["NotCapable", "EACCES"],
  ["NotADirectory", "ENOTDIR"],
  ["IsADirectory", "EISDIR"],
  ["FilesystemLoop", "ELOOP"],
  ["Busy", "EBUSY"],
  ["InvalidData", "EILSEQ"], // a link's content that is not UTF-8
  ["NotSupported", "ENOTSUP"],
];

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EOPNOTSUPP") return "ENOTSUP";
  if (/^E[A-Z0-9]+$/.test(code)) return code;
  for (const [name, known] of CODES) if (error instanceof Deno.errors[name]) return known;
  return "EIO";
}

/** What Deno and `node:fs` throw as the {@linkcode SystemError} that the interface promises. */
export function translate<T>(call: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof SystemError) throw error;
    throw new SystemError(codeOf(error), call, path, { cause: error });
  }
}
