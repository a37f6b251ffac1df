import { systemClock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { onTermination } from "../platform/termination.ts";
import { stateFolder } from "../platform/user_folders.ts";
import type { App } from "./app.ts";
import type { AppSettings, Environment, OutputStream } from "./context.ts";

const BUSY_MS = 5;

/**
 * The process itself as an {@linkcode Environment}.
 *
 * @param exit Ends the process; only the main module does that
 * @param openApp Loads and makes what most commands need, and the others must not wait for
 */
export function processEnvironment(
  exit: (code: number) => never,
  openApp?: (settings: AppSettings) => Promise<App>,
): Environment {
  return {
    variable: (name) => Deno.env.get(name),
    variables: () => Deno.env.toObject(),
    stdout: outputStream(Deno.stdout),
    stderr: outputStream(Deno.stderr),
    clock: systemClock,
    platform: { deno: Deno.version.deno, os: Deno.build.os, arch: Deno.build.arch },
    onInterrupt: onTermination,
    onUncaught,
    exit,
    saveReport,
    openApp,
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
  const state = stateFolder((name) => Deno.env.get(name));
  if (state === undefined) throw new Error("neither HOME nor USERPROFILE is set");
  const folder = join(state, "reports");
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const time = new Date().toISOString().replaceAll(":", "-");
  const path = join(folder, `internal-error-${time}-${Deno.pid}.txt`);
  await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
  const reports: string[] = [];
  for await (const { name } of Deno.readDir(folder)) if (name.startsWith("internal-error-")) reports.push(name);
  for (const name of reports.sort().slice(0, -LIMITS.bugReportsMax)) await Deno.remove(join(folder, name));
  return path;
}
