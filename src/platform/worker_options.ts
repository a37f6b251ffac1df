const ASK = `import { fork } from "node:child_process";
try {
  const child = fork("", [], { execPath: "/" + crypto.randomUUID(), stdio: "ignore" });
  child.on("error", () => {});
  postMessage(child.spawnargs);
} catch {
  postMessage([]);
}`;

let known: Promise<boolean> | undefined;

/**
 * Whether this process may start workers without permissions. Deno ends the process of whoever tries without that option, and
 * tells nobody whether it is set but the children of Node's `fork`; the one here would be a program that does not exist. True
 * where nothing can be known.
 */
export function canLimitWorkers(): Promise<boolean> {
  if (Deno.build.standalone) return Promise.resolve(true);
  return known ??= ask();
}

/** In a worker, because `fork` leaves a pipe behind. */
async function ask(): Promise<boolean> {
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(ASK)}`, { type: "module" });
  try {
    const flags = await new Promise<string[]>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        resolve([]);
      };
    });
    return !flags.includes("run") || flags.some((each) => /^--unstable(-worker-options)?$/.test(each));
  } finally {
    worker.terminate();
  }
}
