/**
 * Whether an extended attribute is the file's, rather than the system's own: labels such as `security.selinux`, and what
 * `system.*` shows beyond POSIX ACLs, are set when a backup holds them, but never removed.
 */
export function isOfFile(name: string): boolean {
  if (name.startsWith("system.")) return name === "system.posix_acl_access" || name === "system.posix_acl_default";
  return !name.startsWith("security.") || name === "security.capability";
}
