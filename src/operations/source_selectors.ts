import { type FileSystem, SystemError } from "../platform/file_system.ts";
import { makeSelectors, type SelectionOptions, type Selector, type Source } from "../stages/select.ts";

interface SourceSelectors {
  of(path: string, relative: string): Selector;
}

/** A source that is not there is reported by the backup, unless it came meanwhile. */
export function sourceSelectors(
  options: SelectionOptions,
  paths: readonly string[],
  files: FileSystem,
): SourceSelectors {
  const sources = paths.map((path): Source => ({ path, device: deviceOf(path, files) }));
  const selectors = makeSelectors(options, sources);
  const bySource = new Map(sources.map(({ path }, at) => [path, selectors[at]]));
  return {
    of(path, relative) {
      if (selectors.length === 1) return selectors[0];
      const source = relative === "" ? path : path.slice(0, -relative.length - 1) || "/";
      const selector = bySource.get(source);
      if (selector === undefined) throw new RangeError(`Not a source: ${source}`);
      return selector;
    },
  };
}

/** Of what a folder holds: to look at the folder itself does not mount what is mounted when it is opened. */
function deviceOf(path: string, files: FileSystem): string | undefined {
  for (const look of [() => files.statNames(path, ["."])[0], () => files.lstat(path)]) {
    try {
      const found = look();
      if (!(found instanceof SystemError)) return found.device;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }
  return undefined;
}
