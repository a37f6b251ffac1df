import ipaddr from "ipaddr.js";

/**
 * Whether `address` is one that anybody may be sent to: not of this machine, of a private network, a group or a form that
 * stands for another address (IPv4 in IPv6, 6to4, Teredo, NAT64).
 */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.parse(address).range() === "unicast";
}

/** The address that the host of a URL is, without brackets; undefined for a name. */
export function addressOfHost(host: string): string | undefined {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  return ipaddr.isValid(bare) ? bare : undefined;
}
