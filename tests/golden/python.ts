/** A Python with the packages of the second reader, installed below `.work/` where they are missing. */
import { fileURLToPath } from "node:url";

const PACKAGES = ["cryptography>=42", "zstandard>=0.22", "argon2-cffi>=23"];
const IMPORTS = "import cryptography, zstandard, argon2";
const INSTALLED = new URL("../../.work/second_reader/", import.meta.url);
const INSTALL_MS = 120_000;

export interface Python {
  /** Standard output as text; throws with what was printed unless the exit code is 0. */
  run(script: string, ...args: string[]): Promise<string>;
  /** What it printed to standard error when it failed; throws if it did not. */
  failure(script: string, ...args: string[]): Promise<string>;
}

const environment = { PYTHONPATH: fileURLToPath(INSTALLED), PYTHONDONTWRITEBYTECODE: "1", PYTHONUTF8: "1" };

async function output(command: string, args: string[], signal?: AbortSignal) {
  const options = { args, env: environment, stdout: "piped", stderr: "piped", signal } as const;
  const { code, stdout, stderr } = await new Deno.Command(command, options).output();
  return { code, text: new TextDecoder().decode(stdout), errors: new TextDecoder().decode(stderr) };
}

async function works(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await output(command, args, AbortSignal.timeout(INSTALL_MS))).code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Undefined where there is no Python, or the packages are neither there nor to be had. */
export async function findPython(): Promise<Python | undefined> {
  for (const command of ["python3", "python"]) {
    if (!await works(command, "-c", "import sys; sys.exit(sys.version_info < (3, 9))")) continue;
    const target = ["--target", fileURLToPath(INSTALLED)];
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", ...target];
    if (!await works(command, "-c", IMPORTS) && !await works(command, ...pip, ...PACKAGES)) continue;
    if (!await works(command, "-c", IMPORTS)) continue;
    return {
      async run(script, ...args) {
        const { code, text, errors } = await output(command, [pathOf(script), ...args]);
        if (code !== 0) throw new Error(`${script} ended with ${code}: ${errors}`);
        return text;
      },
      async failure(script, ...args) {
        const { code, errors } = await output(command, [pathOf(script), ...args]);
        if (code === 0) throw new Error(`${script} ended well`);
        return errors;
      },
    };
  }
  return undefined;
}

function pathOf(script: string): string {
  return fileURLToPath(new URL(script, import.meta.url));
}
