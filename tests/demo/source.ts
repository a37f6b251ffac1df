import { basename } from "node:path";
import { systemRandom } from "../../src/base/random.ts";
import type { FileSystem } from "../../src/platform/file_system.ts";
import { utf8 } from "../../src/base/bytes.ts";

/** The project's checkout, and what Deno downloaded. */
export function defaultFolders(root: string): string[] {
  const home = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;
  const exists = (path: string) => {
    try {
      return Deno.statSync(path).isDirectory;
    } catch {
      return false;
    }
  };
  return [root.replace(/\/$/, ""), ...(exists(`${home}/npm`) ? [`${home}/npm`] : [])];
}

/** Copies real folders, and adds the kinds of files that they rarely have. */
export async function copyFolders(folders: readonly string[], target: string, files: FileSystem): Promise<void> {
  await Deno.mkdir(target);
  for (const folder of folders) {
    const { code, stderr } = await new Deno.Command("cp", { args: ["-a", folder, `${target}/${basename(folder)}`] })
      .output();
    if (code !== 0) console.log(`   cp -a ${folder}: ${new TextDecoder().decode(stderr).split("\n")[0]}`);
  }
  addOddFiles(target, files);
}

function addOddFiles(target: string, files: FileSystem): void {
  const odd = `${target}/demo-odd-files`;
  Deno.mkdirSync(odd);
  Deno.writeTextFileSync(`${odd}/demo-script`, "#!/bin/sh\n", { mode: 0o755 });
  Deno.linkSync(`${odd}/demo-script`, `${odd}/hard link to it`);
  Deno.symlinkSync("demo-script", `${odd}/symbolic link`);
  Deno.symlinkSync("/nowhere", `${odd}/dangling link`);
  Deno.mkdirSync(`${odd}/empty folder`, { mode: 0o500 });
  Deno.writeTextFileSync(`${odd}/sparse`, "start");
  Deno.truncateSync(`${odd}/sparse`, 2 ** 30);
  if (files.fidelity.rawNames || files.fidelity.specialFiles) {
    const tree = files.openTarget(odd);
    if (files.fidelity.rawNames) tree.createFile("not UTF-8 \udcff\udcfe").close();
    if (files.fidelity.specialFiles) tree.makeNode("fifo", "fifo", 0, 0);
    const xattrs = files.fidelity.xattrs ? [{ name: "user.demo", value: utf8("an attribute") }] : undefined;
    const file = tree.createFile("with an attribute, from 1969");
    const losses = file.setMetadata({ mode: 0o640, mtimeNs: "-1000000001", xattrs });
    file.close();
    for (const { what, code } of losses) console.log(`   this file system cannot hold the ${what} (${code})`);
    tree.close();
  }
}

/** Edits, removes, adds and renames some files; says what. */
export function changeSome(folder: string): string {
  Deno.writeFileSync(`${folder}/demo-new-file`, systemRandom(3_000_000));
  Deno.renameSync(`${folder}/demo-odd-files/hard link to it`, `${folder}/demo-odd-files/renamed link`);
  Deno.removeSync(`${folder}/demo-odd-files/dangling link`);
  let edited = 0;
  for (const path of filesBelow(folder)) {
    if (edited === 20) break;
    const { mode, size } = Deno.lstatSync(path);
    if (size === 0 || (mode! & 0o200) === 0 || edited++ < 0) continue;
    Deno.writeTextFileSync(path, "a line more\n", { append: true });
  }
  return `1 file of 3 MB added, 1 renamed, 1 removed, a line added to ${edited}`;
}

function* filesBelow(folder: string): Generator<string> {
  for (const { name, isFile, isDirectory } of Deno.readDirSync(folder)) {
    if (isFile) yield `${folder}/${name}`;
    else if (isDirectory) yield* filesBelow(`${folder}/${name}`);
  }
}
