import type { FileStat, Metadata, MetadataLoss, Xattr } from "./file_system.ts";

const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const OWNER_RW = 0o600;

/** An errno's name, or undefined after success. */
export type Fault = string | undefined;

/** One object whose metadata can be set. */
export interface MetadataCalls {
  stat(): FileStat;
  /** Undefined leaves that half as it is. */
  chown(uid: number | undefined, gid: number | undefined): Fault;
  chmod(mode: number): Fault;
  replaceXattrs(wanted: readonly Xattr[]): MetadataLoss[];
  setTimes(mtimeNs: string): Fault;
}

/**
 * Sets owner, mode, extended attributes and times, in this order: a new owner clears set-uid and capabilities, an ACL
 * changes the mode, and all of them must be done before the last word on times. Links have no mode of their own.
 */
export function applyMetadata(object: MetadataCalls, metadata: Metadata, isLink: boolean): MetadataLoss[] {
  const losses: MetadataLoss[] = [];
  const wanted = metadata.mode & 0o7777;
  const dropped = setOwner(object, metadata, losses);
  const mode = wanted & ~dropped;
  if (!isLink) {
    const code = object.chmod(mode) ?? (mode === wanted ? undefined : "EPERM");
    if (code !== undefined) losses.push({ what: "mode", detail: wanted.toString(8), code });
  }
  if (metadata.xattrs !== undefined) losses.push(...setXattrs(object, metadata.xattrs, isLink ? undefined : mode));
  // Linux drops set-gid without an error when the caller is not in the group.
  if (!isLink && (mode & (S_ISUID | S_ISGID)) !== 0 && !losses.some(({ what }) => what === "mode")) {
    if (object.stat().mode !== mode) losses.push({ what: "mode", detail: wanted.toString(8), code: "EPERM" });
  }
  const code = object.setTimes(metadata.mtimeNs);
  if (code !== undefined) losses.push({ what: "times", detail: metadata.mtimeNs, code });
  return losses;
}

/** Attributes of a file that its own mode keeps from its owner are set while the owner may write. */
function setXattrs(object: MetadataCalls, xattrs: readonly Xattr[], mode: number | undefined): MetadataLoss[] {
  const losses = object.replaceXattrs(xattrs);
  if (mode === undefined || (mode & OWNER_RW) === OWNER_RW || !losses.some(({ code }) => code === "EACCES")) {
    return losses;
  }
  if (object.chmod((mode & 0o777) | OWNER_RW) !== undefined) return losses;
  const left = object.replaceXattrs(xattrs);
  const code = object.chmod(mode);
  return code === undefined ? left : [...left, { what: "mode", detail: mode.toString(8), code }];
}

/**
 * Returns the bits of the mode that must stay unset, because the user or group whose rights they lend is not the one that
 * was meant.
 */
function setOwner(object: MetadataCalls, { uid, gid }: Metadata, losses: MetadataLoss[]): number {
  if (uid === undefined && gid === undefined) return 0;
  if (object.chown(uid, gid) === undefined) return 0;
  let dropped = 0;
  const lose = (id: number | undefined, kind: string, bit: number, code: Fault) => {
    if (id === undefined || code === undefined) return;
    dropped |= bit;
    losses.push({ what: "owner", detail: `${kind} ${id}`, code });
  };
  if (uid !== undefined) lose(uid, "user", S_ISUID, object.chown(uid, undefined));
  if (gid !== undefined) lose(gid, "group", S_ISGID, object.chown(undefined, gid));
  return dropped;
}
