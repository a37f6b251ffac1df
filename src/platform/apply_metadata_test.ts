import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { applyMetadata, type MetadataCalls } from "./apply_metadata.ts";
import type { FileStat, Metadata } from "./file_system.ts";

/** Writes down each call; `faults` maps a call to the code that it fails with. */
function recorder(faults: Record<string, string> = {}, modeAfter?: number) {
  const made: string[] = [];
  const call = (text: string) => {
    made.push(text);
    return faults[text];
  };
  let mode = 0;
  const object: MetadataCalls = {
    stat: () => ({ mode: modeAfter ?? mode }) as FileStat,
    chown: (uid, gid) => call(`chown ${uid ?? "-"} ${gid ?? "-"}`),
    chmod: (wanted) => {
      mode = wanted;
      return call(`chmod ${wanted.toString(8)}`);
    },
    replaceXattrs: (wanted) => {
      made.push(`xattrs ${wanted.length}`);
      return [];
    },
    setTimes: (ns) => call(`times ${ns}`),
  };
  return { made, object };
}

const metadata: Metadata = { mode: 0o6755, uid: 1, gid: 2, mtimeNs: "9", xattrs: [] };
const wholeOwner = "chown 1 2", user = "chown 1 -", group = "chown - 2";

Deno.test("applyMetadata() goes from owner to times and drops rights that would be lent to the wrong one", async (t) => {
  const cases: {
    name: string;
    faults?: Record<string, string>;
    more?: Partial<Metadata>;
    link?: boolean;
    calls: string[];
    lost: string[];
  }[] = [
    { name: "all is well", calls: [wholeOwner, "chmod 6755", "xattrs 0", "times 9"], lost: [] },
    { name: "a link", link: true, calls: [wholeOwner, "xattrs 0", "times 9"], lost: [] },
    {
      name: "nothing but mode and times",
      more: { uid: undefined, gid: undefined, xattrs: undefined },
      calls: ["chmod 6755", "times 9"],
      lost: [],
    },
    {
      name: "user refused",
      faults: { [wholeOwner]: "EPERM", [user]: "EPERM" },
      calls: [wholeOwner, user, group, "chmod 2755", "xattrs 0", "times 9"],
      lost: ["owner user 1 EPERM", "mode 6755 EPERM"],
    },
    {
      name: "group refused",
      faults: { [wholeOwner]: "EINVAL", [group]: "EINVAL" },
      calls: [wholeOwner, user, group, "chmod 4755", "xattrs 0", "times 9"],
      lost: ["owner group 2 EINVAL", "mode 6755 EPERM"],
    },
    {
      name: "everything refused",
      faults: { [wholeOwner]: "EPERM", [user]: "EPERM", [group]: "EPERM", "chmod 755": "EROFS", "times 9": "EROFS" },
      calls: [wholeOwner, user, group, "chmod 755", "xattrs 0", "times 9"],
      lost: ["owner user 1 EPERM", "owner group 2 EPERM", "mode 6755 EROFS", "times 9 EROFS"],
    },
  ];
  for (const { name, faults, more, link = false, calls, lost } of cases) {
    await t.step(name, () => {
      const { made, object } = recorder(faults);
      const losses = applyMetadata(object, { ...metadata, ...more }, link);
      deepEqual(made, calls);
      deepEqual(losses.map(({ what, detail, code }) => `${what} ${detail} ${code}`), lost);
    });
  }
});

Deno.test("applyMetadata() sets attributes that the file's own mode forbids, and the mode last", () => {
  const { made, object } = recorder();
  let mode = 0;
  const guarded: MetadataCalls = {
    ...object,
    chmod: (wanted) => object.chmod(mode = wanted),
    replaceXattrs: (wanted) => {
      object.replaceXattrs(wanted);
      return (mode & 0o200) === 0 ? [{ what: "xattr", detail: "user.a", code: "EACCES" }] : [];
    },
  };
  deepEqual(applyMetadata(guarded, { mode: 0o444, mtimeNs: "9", xattrs: [] }, false), []);
  deepEqual(made, ["chmod 444", "xattrs 0", "chmod 644", "xattrs 0", "chmod 444", "times 9"]);
});

Deno.test("applyMetadata() tells when the system drops set-gid without an error", () => {
  const { object } = recorder({}, 0o4755);
  deepEqual(applyMetadata(object, metadata, false), [{ what: "mode", detail: "6755", code: "EPERM" }]);
});
