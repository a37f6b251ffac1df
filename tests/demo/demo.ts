/**
 * `deno task demo [folder]`: runs the program on real files as a user would, and checks what it says.
 *
 * Saves a copy of the folder (by default this project and Deno's package cache), changes some of it, saves again, looks at
 * both snapshots, restores them elsewhere, compares every entry, then damages one byte of the repository.
 */
import { formatSize } from "../../src/base/sizes.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { compareFolders } from "./compare.ts";
import { changeSome, copyFolders, defaultFolders } from "./source.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const files = openFileSystem();
const work = await Deno.makeTempDir({ prefix: "axiom-demo-" });
const source = `${work}/source`;
const repository = `${work}/repository`;
let failures = 0;

const environment = {
  AXIOM_PASSWORD: "a password for the demo",
  AXIOM_REPOSITORY: repository,
  AXIOM_CACHE_DIR: `${work}/cache`,
  XDG_STATE_HOME: `${work}/state`,
};

async function step<T>(what: string, action: () => T | Promise<T>): Promise<T> {
  console.log(`\n── ${what}`);
  const started = performance.now();
  const result = await action();
  console.log(`   ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

/** Runs the program; its output is shown. */
async function axiom(args: string[], expected = 0): Promise<string> {
  console.log(`   $ axiom ${args.join(" ")}`);
  const v8 = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)).tasks.axiom.split(" ").filter((word: string) =>
    word.startsWith("--v8-flags")
  );
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...v8, `${ROOT}main.ts`, "--no-progress", ...args],
    env: environment,
  });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  const lines = (text + new TextDecoder().decode(stderr)).trimEnd().split("\n");
  for (const line of lines.slice(0, 14)) console.log(`   ${line}`);
  if (lines.length > 14) console.log(`   … ${lines.length - 14} more lines`);
  if (code !== expected) fail(`axiom ${args[0]} ended with ${code}, not ${expected}`);
  return text;
}

function fail(why: string): void {
  failures++;
  console.log(`   FAILED: ${why}`);
}

function prove(left: string, right: string): void {
  const { differences, ...counts } = compareFolders(files, left, right);
  console.log(
    `   compared ${counts.files} files of ${
      formatSize(counts.bytes)
    }, ${counts.folders} folders, ${counts.others} other ` +
      `entries, ${counts.hardLinkGroups} groups of hard links, ${counts.xattrs} extended attributes: ` +
      (differences.length === 0 ? "all equal" : `${differences.length} differences`),
  );
  for (const difference of differences.slice(0, 5)) fail(difference);
}

async function damageOneByte(): Promise<string> {
  let largest = { path: "", size: 0 };
  for (const folder of Deno.readDirSync(`${repository}/packs`)) {
    for (const { name } of Deno.readDirSync(`${repository}/packs/${folder.name}`)) {
      const path = `${repository}/packs/${folder.name}/${name}`;
      const { size } = await Deno.stat(path);
      if (size > largest.size) largest = { path, size };
    }
  }
  await Deno.chmod(largest.path, 0o600);
  const file = await Deno.open(largest.path, { read: true, write: true });
  const byte = new Uint8Array(1);
  await file.seek(1000, Deno.SeekMode.Start);
  await file.read(byte);
  await file.seek(1000, Deno.SeekMode.Start);
  await file.write(byte.map((value) => value ^ 1));
  file.close();
  return largest.path;
}

const folders = Deno.args.length > 0 ? Deno.args.map((path) => Deno.realPathSync(path)) : defaultFolders(ROOT);
try {
  await step(`a copy of ${folders.join(" and ")} to work on`, () => copyFolders(folders, source, files));
  await step("make a repository", () => axiom(["init"]));
  await step("first backup", () => axiom(["backup", source]));
  const before = `${work}/before`;
  await step("restore it elsewhere", () => axiom(["restore", `latest:${source}`, "--target", before]));
  await step("compare every entry", () => prove(source, before));
  const changes = await step("change some of it", () => changeSome(source));
  console.log(`   ${changes}`);
  await step("second backup", () => axiom(["backup", source]));
  const list = await step("snapshots", () => axiom(["snapshots", "--json"]));
  const [first, second] = (JSON.parse(list) as { id: string }[]).map(({ id }) => id.slice(0, 8));
  await step("what changed", () => axiom(["diff", first, second]));
  await step("find a name in all snapshots", () => axiom(["find", "demo-*"]));
  const after = `${work}/after`;
  await step("restore the second one", () => axiom(["restore", `latest:${source}`, "--target", after, "--verify"]));
  await step("compare every entry", () => prove(source, after));
  await step("restore the first one over it, writing only what differs", async () => {
    await axiom(["restore", `${first}:${source}`, "--target", after, "--delete"]);
    prove(before, after);
  });
  await step("check the repository", () => axiom(["check", "--read-data"]));
  await step("flip one bit of one byte, and check again", async () => {
    console.log(`   in ${(await damageOneByte()).slice(work.length + 1)}`);
    await axiom(["check", "--read-data"], 13);
  });
} finally {
  await Deno.remove(work, { recursive: true });
}
console.log(failures === 0 ? "\nEverything held." : `\n${failures} things did not hold.`);
Deno.exit(failures === 0 ? 0 : 1);
