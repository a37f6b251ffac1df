import { LIMITS } from "../base/limits.ts";

export type TerminationSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGBREAK";

/**
 * Calls `handler` each time a person or the system asks the program to end, which then no longer ends by itself. That the
 * terminal is gone is told once, though both the shell and the kernel say it, and not at all under `nohup`. So is Ctrl-C, which
 * under `deno task` comes from the terminal and again from that.
 *
 * @returns Stops listening; may be called twice
 */
export function onTermination(handler: (signal: TerminationSignal) => void): () => void {
  const signals: TerminationSignal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  let isGone = ignoresHangup(), interruptedMs = -Infinity;
  const listeners = signals.map((signal) => {
    const listener = () => {
      if (signal === "SIGHUP" && isGone) return;
      if (signal === "SIGHUP") isGone = true;
      if (signal === "SIGINT") {
        const lastMs = interruptedMs;
        interruptedMs = performance.now();
        if (interruptedMs - lastMs < LIMITS.sameInterruptMs) return;
      }
      handler(signal);
    };
    return { signal, listener };
  });
  for (const { signal, listener } of listeners) Deno.addSignalListener(signal, listener);
  return () => {
    for (const { signal, listener } of listeners.splice(0)) Deno.removeSignalListener(signal, listener);
  };
}

/**
 * Whether the program was started to outlive its terminal. To be asked before there is any listener: Deno then listens to
 * SIGHUP as well, and without one of ours it ends the program.
 */
function ignoresHangup(): boolean {
  const path = "/proc/self/status";
  try {
    if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return false; // or Deno asks a person
    const [, digit] = /^SigIgn:\s*[0-9a-f]*([0-9a-f])$/m.exec(Deno.readTextFileSync(path))!;
    return (Number.parseInt(digit, 16) & 1) === 1;
  } catch {
    return false;
  }
}
