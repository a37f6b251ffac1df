import { AxiomError } from "../base/errors.ts";
import { formatSize } from "../base/sizes.ts";
import { folderFault } from "../platform/folder_fault.ts";
import { hasConfig } from "../repository/config_store.ts";
import type { ProbeReport } from "../storage/local_probe.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import type { DoctorFinding } from "./doctor.ts";

/** The repository that is meant, whatever it turns out to be. */
export interface RepositoryPlace {
  /** As it was given. */
  location: string;
  open(): Promise<ObjectStore>;
  /** Tries what its place can do; undefined for a kind of store that needs no trial. */
  probe(): Promise<ProbeReport | undefined>;
}

/** Makes the folder and a file in it, and takes the file away. */
export async function folderFinding(name: string, folder: string | undefined, advice: string): Promise<DoctorFinding> {
  if (folder === undefined) return { name, state: name === "cache folder" ? "ok" : "warning", message: "none", advice };
  const path = `${folder}/.doctor-${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(path, "", { createNew: true });
    await Deno.remove(path);
    return { name, state: "ok", message: folder };
  } catch (error) {
    return { name, state: "warning", message: `${folder} cannot be written: ${folderFault(folder, error)}`, advice };
  }
}

export async function repositoryFindings(
  place: RepositoryPlace | undefined,
  signal?: AbortSignal,
): Promise<DoctorFinding[]> {
  const name = "repository";
  if (place === undefined) {
    return [{ name, state: "ok", message: "none is given", advice: "Give one with --repo to have its place tried" }];
  }
  try {
    const store = await place.open();
    if (!await hasConfig(store, signal)) {
      const advice = `Run \`axiom -r ${place.location} init\` to make one`;
      return [{ name, state: "failed", message: `there is none in ${store.location}`, advice }];
    }
    const report = await place.probe();
    const found: DoctorFinding = { name, state: "ok", message: store.location };
    return report === undefined ? [found] : [found, ...probeFindings(report)];
  } catch (error) {
    if (!(error instanceof AxiomError)) throw error;
    return [{ name, state: "failed", message: error.message, advice: error.hint }];
  }
}

function probeFindings(report: ProbeReport): DoctorFinding[] {
  const missing: string[] = [];
  if (!report.hardLinks && !report.exclusiveRename) missing.push("names that are never replaced");
  if (!report.exclusiveCreate) missing.push("files that only one client can make");
  if (!report.fileSync) missing.push("fsync of files");
  if (!report.folderSync) missing.push("fsync of folders");
  if (!report.chmod) missing.push("access rights of files");
  const kind = `${report.fileSystem ?? "unknown file system"}${
    report.freeBytes === undefined ? "" : `, ${formatSize(report.freeBytes)} free`
  }`;
  const findings: DoctorFinding[] = [
    missing.length === 0 ? { name: "its place", state: "ok", message: kind } : {
      name: "its place",
      state: "warning",
      message: `${kind}, lacks ${missing.join(", ")}`,
      advice: "AXIOM does without; after a power failure run `axiom check --read-data`",
    },
  ];
  if (report.staleListingMs > 0) {
    const message = `may be ${report.staleListingMs / 1000} s old (${report.staleListingReason})`;
    findings.push({ name: "listings", state: "ok", message: `${message}; backups wait that long` });
  }
  return findings;
}
