import type { FileSystem } from "../platform/file_system.ts";
import { fidelityWarning } from "../platform/fidelity.ts";
import { loadZstd } from "../stages/zstd.ts";
import { pluginFindings, type PluginPlace } from "./doctor_plugins.ts";
import { folderFinding, repositoryFindings, type RepositoryPlace } from "./doctor_places.ts";

/** What was looked at, and what of it to change. `failed` means that something a person asked for cannot work. */
export interface DoctorFinding {
  name: string;
  state: "ok" | "warning" | "failed";
  message: string;
  advice?: string;
}

export interface DoctorContext {
  files: FileSystem;
  deno: string;
  workers: number;
  stateFolder: string | undefined;
  /** Undefined where none is in use. */
  cacheFolder: string | undefined;
  plugins: PluginPlace;
  /** Undefined where none is given. */
  repository: RepositoryPlace | undefined;
  signal?: AbortSignal;
}

/** Looks at what this machine and this build can do; changes nothing that lasts. */
export async function diagnose(context: DoctorContext): Promise<DoctorFinding[]> {
  return [
    denoFinding(context.deno),
    fileFinding(context.files),
    await zstdFinding(),
    await databaseFinding(),
    { name: "workers", state: "ok", message: `${context.workers}, one for each core` },
    ...await permissionFindings(),
    await folderFinding(
      "state folder",
      context.stateFolder,
      "Set HOME or XDG_STATE_HOME to a folder that can be written",
    ),
    await folderFinding("cache folder", context.cacheFolder, "Name one with --cache-dir, or do without by --no-cache"),
    ...await pluginFindings(context.plugins),
    ...await repositoryFindings(context.repository, context.signal),
  ];
}

/** Versions in which ending a worker does not stop a busy loop: it then runs on, and the process cannot end. */
const UNSTOPPABLE_FROM = [2, 7, 6];
const OLDEST_TESTED = [2, 4, 2];

function denoFinding(version: string): DoctorFinding {
  const numbers = version.split(".").map((part) => parseInt(part, 10));
  const name = "Deno";
  if (compareVersions(numbers, UNSTOPPABLE_FROM) >= 0) {
    return {
      name,
      state: "warning",
      message: `${version}, in which a worker that never pauses cannot be ended`,
      advice: "Use 2.7.5, or a compiled axiom, if plugins from elsewhere are loaded",
    };
  }
  if (compareVersions(numbers, OLDEST_TESTED) < 0) {
    const advice = "Use 2.7.5, or a compiled axiom";
    return { name, state: "warning", message: `${version}, older than what was tested`, advice };
  }
  return { name, state: "ok", message: version };
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return (a[i] ?? 0) - b[i];
  return 0;
}

function fileFinding({ fidelity }: FileSystem): DoctorFinding {
  const name = "files";
  const loss = fidelityWarning(fidelity);
  if (loss === undefined) return { name, state: "ok", message: `everything is kept, by ${fidelity.implementation}` };
  const advice = Deno.build.os === "linux" ? "Run with --allow-ffi, or use a compiled axiom" : undefined;
  return { name, state: "warning", message: loss, advice };
}

async function zstdFinding(): Promise<DoctorFinding> {
  const { implementation } = await loadZstd();
  if (implementation === "native") return { name: "zstd", state: "ok", message: "native" };
  const message = "WASM, which is about a third slower than Deno's own from 2.7 on";
  return { name: "zstd", state: "ok", message };
}

async function databaseFinding(): Promise<DoctorFinding> {
  const name = "SQLite";
  try {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(":memory:");
    try {
      database.exec("CREATE VIRTUAL TABLE names USING fts5(name)");
      const { version } = database.prepare("SELECT sqlite_version() AS version").get() as { version: string };
      return { name, state: "ok", message: `${version} with full-text search` };
    } finally {
      database.close();
    }
  } catch (error) {
    const message = `cannot be used (${error instanceof Error ? error.message : error}); searches read every folder`;
    return { name, state: "warning", message, advice: "Use a newer Deno, or a compiled axiom" };
  }
}

const NEEDED = ["read", "write", "env", "run", "sys", "ffi", "net"] as const;

/** Only what is not granted as a whole is worth a line. */
async function permissionFindings(): Promise<DoctorFinding[]> {
  const lacking: string[] = [];
  for (const name of NEEDED) {
    const { state, partial } = await Deno.permissions.query({ name });
    if (state !== "granted" || partial) lacking.push(partial ? `${name} in part` : name);
  }
  if (lacking.length === 0) return [{ name: "permissions", state: "ok", message: "all" }];
  return [{ name: "permissions", state: "ok", message: `not all: ${lacking.join(", ")}` }];
}
