import { deepEqual, equal, ok } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import { openFileSystem } from "../platform/open_file_system.ts";
import { isWithin, refuseOwnRepository, refuseTarget } from "./own_repository.ts";

const files = openFileSystem();

function refusal(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    ok(error instanceof AxiomError);
    equal(error.kind, "usage");
    return `${error.message} | ${error.hint}`;
  }
}

async function inFolder(run: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(`${folder}/src/inner/repo/packs`, { recursive: true });
    await Deno.mkdir(`${folder}/beside`);
    await Deno.symlink(`${folder}/src`, `${folder}/link`);
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("(30) a repository in its own source is refused unless it is left out, also by way of a link", () =>
  inFolder((folder) => {
    const repository = `${folder}/src/inner/repo`;
    const leavingOut = (...excluded: string[]) => ({
      select: (path: string) => excluded.includes(path) ? "exclude" as const : "save" as const,
    });
    const judge = (sources: string[], excluded: string[] = [], location = repository) =>
      refusal(() => refuseOwnRepository(location, sources, leavingOut(...excluded), files));
    const inner = `Cannot back up into the repository ${repository}: it lies in the source`;
    equal(judge([`${folder}/src`]), `${inner} ${folder}/src | Leave it out, as in --exclude '/inner/repo'`);
    equal(judge([`${folder}/beside`, folder]), `${inner} ${folder} | Leave it out, as in --exclude '/src/inner/repo'`);
    ok(judge([`${folder}/src`], [], `${folder}/link/inner/repo`)?.includes("it lies in the source"));
    ok(judge([`${repository}/packs`])?.includes("is a part of it"));
    ok(judge([repository]) !== undefined);
    deepEqual(judge([`${folder}/beside`]), undefined);
    deepEqual(judge([`${folder}/src`], [repository]), undefined);
    deepEqual(judge([`${folder}/src`], [`${folder}/src/inner`]), undefined);
    deepEqual(judge([`${folder}/gone`]), undefined);
    deepEqual(judge([folder], [], "s3://bucket/prefix"), undefined);
  }));

Deno.test("a restore is not let into its repository, nor to remove it", () =>
  inFolder((folder) => {
    const repository = `${folder}/src/inner/repo`;
    const judge = (target: string, deletes = false) => refusal(() => refuseTarget(repository, target, deletes, files));
    ok(judge(repository)?.includes("is a part of the repository"));
    ok(judge(`${repository}/packs/new/folder`)?.includes("is a part of the repository"));
    ok(judge(`${folder}/link/inner/repo/x`)?.includes("is a part of the repository"));
    deepEqual(judge(`${folder}/src`), undefined);
    ok(judge(`${folder}/src`, true)?.includes("--delete could remove the repository"));
    ok(judge(`${folder}/link`, true)?.includes("--delete could remove the repository"));
    deepEqual(judge(`${folder}/src/new`, true), undefined, "what is not there holds nothing");
    deepEqual(judge(`${folder}/src/new/deep`, true), undefined);
    deepEqual(judge(`${folder}/beside`, true), undefined);
    deepEqual(judge(`${folder}/beside/new`, true), undefined);
  }));

Deno.test("isWithin() gives the names on the way", () =>
  inFolder((folder) => {
    deepEqual(isWithin(`${folder}/src/inner/repo`, `${folder}/link/..`, files) ?? "no", ["src", "inner", "repo"]);
    deepEqual(isWithin(folder, folder, files), []);
    deepEqual(isWithin(`${folder}/beside`, `${folder}/src`, files), undefined);
    equal(isWithin(folder, "/", files)?.join("/"), folder.slice(1));
  }));
