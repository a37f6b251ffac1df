import type { Command } from "./measure.ts";

/** A backup program as this benchmark drives it; `repository` is a folder of its own. */
export interface Tool {
  name: string;
  version: string;
  init(repository: string): Command[];
  backup(repository: string, source: string): Command;
  restore?(repository: string, target: string): Command;
  /** Prints its version; nothing else of it is measured for peers. */
  start?: Command;
}

const PASSWORD = "benchmark";

/** The programs that are on the PATH, AXIOM first. */
export async function toolsOnPath(): Promise<Tool[]> {
  const found: Tool[] = await axiomTools();
  for (const peer of [restic, rustic, kopia, borg, tarZstd]) {
    const version = await versionOf(peer.probe);
    if (version !== undefined) found.push({ ...peer.tool, version });
  }
  return found;
}

async function axiomTools(): Promise<Tool[]> {
  const root = new URL("../../", import.meta.url).pathname;
  const flags = await taskFlags(root);
  const tools: Tool[] = [axiom("axiom (source)", [Deno.execPath(), "run", "-A", ...flags, `${root}main.ts`])];
  const binary = Deno.env.get("AXIOM_E2E_BINARY") ?? `${root}dist/axiom`;
  if (await versionOf([binary, "--version"]) !== undefined) tools.push(axiom("axiom (compiled)", [binary]));
  for (const tool of tools) tool.version = await versionOf(tool.start!.argv) ?? "?";
  return tools;
}

/** The V8 flags with which `deno task axiom` runs the program. */
async function taskFlags(root: string): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  return String(tasks.axiom).split(" ").filter((word) => word.startsWith("--v8-flags"));
}

function axiom(name: string, argv: string[]): Tool {
  const env = { AXIOM_PASSWORD: PASSWORD };
  const run = (repository: string, ...rest: string[]): Command => ({
    argv: [...argv, "--repo", repository, "--cache-dir", `${repository}.cache`, "--no-progress", "--quiet", ...rest],
    env: { ...env, XDG_STATE_HOME: `${repository}.state` },
  });
  return {
    name,
    version: "",
    init: (repository) => [run(repository, "init")],
    backup: (repository, source) => run(repository, "backup", source),
    restore: (repository, target) => run(repository, "restore", "latest", "--target", target),
    start: { argv: [...argv, "--version"] },
  };
}

interface Peer {
  probe: string[];
  tool: Omit<Tool, "version">;
}

const restic: Peer = {
  probe: ["restic", "version"],
  tool: {
    name: "restic",
    init: (repository) => [resticRun(repository, "init")],
    backup: (repository, source) => resticRun(repository, "backup", source),
    restore: (repository, target) => resticRun(repository, "restore", "latest", "--target", target),
  },
};

function resticRun(repository: string, ...rest: string[]): Command {
  const argv = ["restic", "-q", "-r", repository, "--cache-dir", `${repository}.cache`, ...rest];
  return { argv, env: { RESTIC_PASSWORD: PASSWORD } };
}

const rustic: Peer = {
  probe: ["rustic", "--version"],
  tool: {
    name: "rustic",
    init: (repository) => [rusticRun(repository, "init")],
    backup: (repository, source) => rusticRun(repository, "backup", source),
    restore: (repository, target) => rusticRun(repository, "restore", "latest", target),
  },
};

function rusticRun(repository: string, ...rest: string[]): Command {
  const argv = ["rustic", "--no-progress", "-r", repository, "--cache-dir", `${repository}.cache`, ...rest];
  return { argv, env: { RUSTIC_PASSWORD: PASSWORD } };
}

const kopia: Peer = {
  probe: ["kopia", "--version"],
  tool: {
    name: "kopia",
    init: (repository) => [
      { argv: ["mkdir", "-p", repository, `${repository}.cache`] },
      kopiaRun(
        repository,
        "repository",
        "create",
        "filesystem",
        "--path",
        repository,
        "--cache-directory",
        `${repository}.cache/c`,
      ),
      kopiaRun(repository, "policy", "set", "--global", "--compression=zstd"),
    ],
    backup: (repository, source) => kopiaRun(repository, "snapshot", "create", source, "--no-progress"),
  },
};

function kopiaRun(repository: string, ...rest: string[]): Command {
  const argv = ["kopia", `--config-file=${repository}.cache/config`, ...rest];
  return { argv, env: { KOPIA_PASSWORD: PASSWORD, KOPIA_CHECK_FOR_UPDATES: "false" } };
}

const borg: Peer = {
  probe: ["borg", "--version"],
  tool: {
    name: "borg",
    init: (repository) => [borgRun(repository, "init", "-e", "repokey-blake2", repository)],
    backup: (repository, source) =>
      borgRun(repository, "create", "-C", "zstd,3", `${repository}::{now:%H%M%S%f}`, source),
    restore: (repository, target) => ({
      argv: [
        "bash",
        "-c",
        `mkdir -p "$2" && cd "$2" && borg extract "$1::$(borg list --last 1 --short "$1")"`,
        "borg",
        repository,
        target,
      ],
      env: borgEnv(repository),
    }),
  },
};

function borgEnv(repository: string): Record<string, string> {
  return { BORG_PASSPHRASE: PASSWORD, BORG_BASE_DIR: `${repository}.cache` };
}

function borgRun(repository: string, ...rest: string[]): Command {
  return { argv: ["borg", ...rest], env: borgEnv(repository) };
}

const tarZstd: Peer = {
  probe: ["zstd", "--version"],
  tool: {
    name: "tar | zstd -3 -T2",
    init: (repository) => [{ argv: ["mkdir", "-p", repository] }],
    backup: (repository, source) => ({
      argv: ["bash", "-c", 'tar cf - "$2" 2>/dev/null | zstd -3 -T2 -q -f -o "$1/archive"', "tar", repository, source],
    }),
  },
};

async function versionOf(argv: string[]): Promise<string | undefined> {
  try {
    const { code, stdout } = await new Deno.Command(argv[0], { args: argv.slice(1), stderr: "null" }).output();
    return code === 0 ? new TextDecoder().decode(stdout).split("\n")[0].trim().slice(0, 60) : undefined;
  } catch {
    return undefined;
  }
}
