import { AxiomError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { Capability } from "./capabilities.ts";
import { type Grant, grantOf } from "./plugins_lock.ts";

/** What a person allows. */
export interface GrantRequest {
  readonly names: "all" | readonly string[];
  /** For what leaves them to whoever grants it. */
  readonly hosts: readonly string[];
  readonly folders: readonly string[];
  /** Hosts may have addresses of private networks and of this machine. */
  readonly private: boolean;
}

const HOST = /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$|^\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?$/;

/** The grants that `request` makes of what the plugin `asked` for. Throws `usage` for what does not go together. */
export function grantChoice(id: string, asked: readonly Capability[], request: GrantRequest): Grant[] {
  const { names, hosts, folders } = request;
  const fail = (why: string, hint?: string) =>
    new AxiomError("usage", `Cannot grant capabilities to ${id}: ${why}`, { hint });
  const known = asked.map(({ name }) => name as string);
  const unknown = names === "all" ? undefined : names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const meant = nearest(unknown, known);
    const hint = known.length === 0 ? "It asks for nothing" : `It asks for ${known.join(", ")}`;
    throw fail(`it does not ask for ${unknown}`, meant === undefined ? hint : `Did you mean ${meant}?`);
  }
  const wrong = hosts.find((host) => !HOST.test(host));
  if (wrong !== undefined) {
    throw fail(`"${wrong}" is no host`, "Give a name or address, with a port unless it is 443: nas.example:8443");
  }
  const relative = folders.find((folder) => !/^([/\\]|[A-Za-z]:[/\\])/.test(folder));
  if (relative !== undefined) throw fail(`the folder "${relative}" is not absolute`, "Give the whole path");
  const chosen = asked.filter(({ name }) => names === "all" || names.includes(name)).map(grantOf);
  if (request.private && !chosen.some(({ name }) => name === "net.http")) {
    throw fail("--private is given, and net.http is not granted with it");
  }
  const granted = chosen.map((each) =>
    request.private && each.name === "net.http" ? { ...each, private: true as const } : each
  );
  const lists = [
    { flag: "--host", given: hosts, name: "net.http", key: "hosts" },
    { flag: "--folder", given: folders, name: "files", key: "folders" },
  ] as const;
  return lists.reduce((grants, { flag, given, name, key }) => {
    const open = grants.find((each) => each.name === name && each[key] === undefined);
    if (open === undefined && given.length > 0) {
      throw fail(`${flag} is given, and nothing that is granted leaves it to you`);
    }
    if (open === undefined) return grants;
    if (given.length === 0) throw fail(`it leaves to you what ${name} may reach`, `Name it with ${flag}`);
    return grants.map((each) => each === open ? { ...each, [key]: [...new Set(given)] } : each);
  }, granted);
}
