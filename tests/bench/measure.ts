/** Wall and CPU time and peak memory of a whole process, as the system accounts for them. */
export interface Measured {
  wallSeconds: number;
  cpuSeconds: number;
  /** Of the largest process. */
  peakBytes: number;
  exitCode: number;
}

export interface Command {
  argv: string[];
  env?: Record<string, string>;
  cwd?: string;
}

const POLL_MS = 20;

/** Runs a command to its end, its output thrown away. Throws `Error` with the end of stderr if it fails. */
export async function measure({ argv, env, cwd }: Command): Promise<Measured> {
  const script = 'TIMEFORMAT="axiom-bench %R %U %S"; time "$@"';
  const child = new Deno.Command("bash", {
    args: ["-c", script, "bench", ...argv],
    env,
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let peakBytes = 0;
  const poll = setInterval(() => peakBytes = Math.max(peakBytes, largestProcess(child.pid)), POLL_MS);
  const { code, stderr } = await child.output();
  clearInterval(poll);
  const text = new TextDecoder().decode(stderr);
  const times = /axiom-bench ([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(text);
  if (times === null || code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${text.slice(-500)}`);
  const [wall, user, system] = times.slice(1).map(Number);
  return { wallSeconds: wall, cpuSeconds: user + system, peakBytes, exitCode: code };
}

function largestProcess(root: number): number {
  let largest = 0;
  for (const pid of [root, ...childrenOf(root)]) {
    try {
      const status = Deno.readTextFileSync(`/proc/${pid}/status`);
      largest = Math.max(largest, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024);
    } catch {
      // it ended meanwhile
    }
  }
  return largest;
}

function childrenOf(pid: number): number[] {
  try {
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
    return children.flatMap((child) => [child, ...childrenOf(child)]);
  } catch {
    return [];
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Bytes of all files below a folder, as they are listed. */
export function folderBytes(path: string): number {
  let bytes = 0;
  for (const entry of Deno.readDirSync(path)) {
    const child = `${path}/${entry.name}`;
    bytes += entry.isDirectory ? folderBytes(child) : Deno.lstatSync(child).size;
  }
  return bytes;
}
