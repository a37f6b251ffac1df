import { strictEqual as equal } from "node:assert/strict";
import { isPublicAddress } from "./public_address.ts";

Deno.test("an address is public unless it is of this machine, a private network, a group, or stands for another one", () => {
  const others = [
    ...["127.0.0.1", "127.255.0.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    ...["169.254.169.254", "100.64.0.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "198.18.0.1"],
    ...["192.0.2.1", "198.51.100.7", "203.0.113.9", "192.0.0.8"],
    ...["::1", "::", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8"],
    ...["64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:53aa:64c:0:7fff:80ff:fffe", "2001:db8::1", "::127.0.0.1"],
    ...["fec0::1", "64:ff9b:1::1", "not an address", ""],
  ];
  for (const address of others) equal(isPublicAddress(address), false, address);
  for (const address of ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450:4001::1"]) {
    equal(isPublicAddress(address), true, address);
  }
});
