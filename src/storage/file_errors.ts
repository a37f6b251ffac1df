import { AxiomError, messageOf } from "../base/errors.ts";
import { errnoName } from "../platform/errno.ts";

/** Name of the errno of a failed call, such as `ENOENT`; undefined if `error` is not from the system. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  if (error instanceof Deno.errors.NotFound) return "ENOENT";
  if (error instanceof Deno.errors.AlreadyExists) return "EEXIST";
  if (error instanceof Deno.errors.PermissionDenied) return "EACCES";
  // Deno has no code for many, ENOSYS and EUCLEAN among them; only their numbers.
  const [, number] = error instanceof Error && /\(os error (\d+)\)/.exec(error.message) || [];
  return number === undefined || Deno.build.os !== "linux" ? undefined : errnoName(Number(number));
}

/** Whether a call failed because there is nothing at its path. */
export function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

const UNSUPPORTED = ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "ENOTTY", "EPERM"];

/** Whether a file system says that it cannot do such a call at all, rather than that this one failed. */
export function isRefused(error: unknown, ...more: string[]): boolean {
  const code = codeOf(error);
  return code !== undefined && (UNSUPPORTED.includes(code) || more.includes(code));
}

/** Whether there was no room: no space, or no quota. */
export function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(codeOf(error) ?? "");
}

const BUSY = ["EBUSY", "EAGAIN", "EINTR", "EMFILE", "ENFILE", "ENOMEM", "ESTALE", "ETXTBSY", "EDEADLK", "ENOLCK"];
const NETWORK = ["ETIMEDOUT", "ECONNRESET", "ECONNABORTED", "ECONNREFUSED", "ENOTCONN", "EHOSTDOWN", "EHOSTUNREACH"]
  .concat("ENETDOWN", "ENETUNREACH", "EPIPE", "ESHUTDOWN");

export interface FailurePlace {
  location: string;
  /** On a network file system an input/output error often passes. */
  remote: boolean;
  freeBytes?: number;
}

/** The error that a person meets for a failed call; whatever is not from the system comes back as it is: it is a bug. */
export function storageFailure(action: string, error: unknown, place: FailurePlace): unknown {
  if (error instanceof AxiomError) return error;
  if (error instanceof Deno.errors.NotCapable) {
    return new AxiomError("storage_denied", `Cannot ${action}: Deno does not let this program use ${place.location}`, {
      hint: "Deno keeps /dev, /proc and /sys, /dev/shm among them, from programs that have not every permission: " +
        "choose another folder, or run from source with `deno run -A main.ts`",
      cause: error,
    });
  }
  const code = codeOf(error);
  if (code === undefined) return error;
  const { location, remote, freeBytes } = place;
  if (code === "ENOSPC" || code === "EDQUOT") {
    const what = code === "ENOSPC" ? "no space left in" : "the quota is used up in";
    const free = freeBytes === undefined ? "" : ` (${freeBytes} bytes free)`;
    return new AxiomError("storage_full", `Cannot ${action}: ${what} ${location}${free}`, {
      hint: "Make room there, then run the same command again: what was stored is used",
      cause: error,
    });
  }
  if (code === "EROFS") {
    return new AxiomError("storage_denied", `Cannot ${action}: ${location} is mounted read-only`, {
      hint: "Mount it for writing, then run the same command again",
      cause: error,
    });
  }
  if (code === "EACCES" || code === "EPERM") {
    return new AxiomError("storage_denied", `Cannot ${action}: no permission in ${location} (${code})`, {
      hint: "Check who owns that folder and which user runs this",
      cause: error,
    });
  }
  const busy = BUSY.includes(code) || NETWORK.includes(code);
  return new AxiomError(
    busy ? "storage_busy" : "storage_failed",
    `Cannot ${action}: ${messageOf(error)} (${location})`,
    {
      cause: error,
      retriable: busy || (code === "EIO" && remote),
      hint: code === "EIO" ? "Check the disk or the network share: the system log says more" : undefined,
    },
  );
}
