import { systemClock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import type { Environment, OutputStream } from "./context.ts";

const BUSY_MS = 5;

/**
 * The process itself as an {@linkcode Environment}.
 *
 * @param exit Ends the process; only the main module does that
 */
export function processEnvironment(exit: (code: number) => never): Environment {
  return {
    variable: (name) => Deno.env.get(name),
    stdout: outputStream(Deno.stdout),
    stderr: outputStream(Deno.stderr),
    clock: systemClock,
    platform: { deno: Deno.version.deno, os: Deno.build.os, arch: Deno.build.arch },
    onInterrupt,
    onUncaught,
    exit,
    saveReport,
  };
}

function outputStream(stream: typeof Deno.stdout): OutputStream {
  return {
    get isTerminal() {
      return stream.isTerminal();
    },
    columns() {
      try {
        return Deno.consoleSize().columns || undefined;
      } catch {
        return undefined;
      }
    },
    writeSync(data) {
      for (let at = 0; at < data.length;) {
        try {
          at += stream.writeSync(data.subarray(at));
        } catch (error) {
          if (!isBusy(error)) throw error;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
        }
      }
    },
    async write(data) {
      for (let at = 0; at < data.length;) {
        try {
          at += await stream.write(data.subarray(at));
        } catch (error) {
          if (!isBusy(error)) throw error;
          await systemClock.sleep(BUSY_MS);
        }
      }
    },
  };
}

/** A pipe that another process has set to non-blocking is full. */
function isBusy(error: unknown): boolean {
  return error instanceof Deno.errors.WouldBlock;
}

/** SIGHUP keeps its default: a listener would undo `nohup`. */
function onInterrupt(handler: () => void): () => void {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, handler);
  return () => {
    for (const signal of signals) Deno.removeSignalListener(signal, handler);
  };
}

function onUncaught(handler: (error: unknown) => void): () => void {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    handler(event.reason);
  };
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    handler(event.error);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return () => {
    globalThis.removeEventListener("unhandledrejection", onRejection);
    globalThis.removeEventListener("error", onError);
  };
}

async function saveReport(text: string): Promise<string> {
  const { join } = await import("node:path");
  const folder = join(stateFolder(), "axiom", "reports");
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const time = new Date().toISOString().replaceAll(":", "-");
  const path = join(folder, `internal-error-${time}-${Deno.pid}.txt`);
  await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
  const reports: string[] = [];
  for await (const { name } of Deno.readDir(folder)) if (name.startsWith("internal-error-")) reports.push(name);
  for (const name of reports.sort().slice(0, -LIMITS.bugReportsMax)) await Deno.remove(join(folder, name));
  return path;
}

/** XDG Base Directory Specification, `XDG_STATE_HOME`; else where the system keeps the like. */
function stateFolder(): string {
  const chosen = Deno.env.get("XDG_STATE_HOME");
  if (chosen) return chosen;
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE");
  if (!home) throw new Error("neither HOME nor USERPROFILE is set");
  switch (Deno.build.os) {
    case "windows":
      return Deno.env.get("LOCALAPPDATA") || `${home}\\AppData\\Local`;
    case "darwin":
      return `${home}/Library/Logs`;
    default:
      return `${home}/.local/state`;
  }
}
