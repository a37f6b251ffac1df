/** Users and groups from `/etc/passwd` and `/etc/group`, as far as those may be read. */
export class PortableAccounts {
  #users: Accounts | undefined;
  #groups: Accounts | undefined;

  userName(uid: number): string | undefined {
    return (this.#users ??= readAccounts("/etc/passwd")).names.get(uid);
  }

  groupName(gid: number): string | undefined {
    return (this.#groups ??= readAccounts("/etc/group")).names.get(gid);
  }

  userId(name: string): number | undefined {
    return (this.#users ??= readAccounts("/etc/passwd")).ids.get(name);
  }

  groupId(name: string): number | undefined {
    return (this.#groups ??= readAccounts("/etc/group")).ids.get(name);
  }
}

interface Accounts {
  names: ReadonlyMap<number, string>;
  ids: ReadonlyMap<string, number>;
}

function readAccounts(path: string): Accounts {
  if (Deno.build.os === "windows" || Deno.permissions.querySync({ name: "read", path }).state !== "granted") {
    return parseAccounts("");
  }
  try {
    return parseAccounts(Deno.readTextFileSync(path));
  } catch {
    return parseAccounts(""); // a system without such a file has no names to offer
  }
}

/** Lines of `name:password:number:…`; the first of several entries counts, as for the C library. */
export function parseAccounts(text: string): Accounts {
  const names = new Map<number, string>(), ids = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [name, , number] = line.split(":");
    if (name === "" || name.startsWith("#") || !/^\d{1,10}$/.test(number ?? "")) continue;
    const id = Number(number);
    if (!names.has(id)) names.set(id, name);
    if (!ids.has(name)) ids.set(name, id);
  }
  return { names, ids };
}
