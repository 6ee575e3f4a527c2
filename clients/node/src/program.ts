/** Where the program `isolet` is. */
import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { HostError } from "./errors.js";
import { VERSION } from "./version.js";

/** The platforms that there is a package of the program for, and what starts programs there. */
const PACKAGED: Readonly<Record<string, string>> = { "linux-x64": "/lib64/ld-linux-x86-64.so.2" };

/** The path of the program: named, in the variable `ISOLET`, packaged for this platform, or on the `PATH`. */
export function findProgram(named?: string): string {
  for (const [said, path] of [["`program`", named], ["the variable `ISOLET`", process.env["ISOLET"]]] as const) {
    if (!path) continue;
    if (isProgram(path)) return path;
    throw new HostError(`${said} names \`${path}\`, which is no program that can be started: name the program \`isolet\``);
  }
  const packaged = packagedProgram();
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = [...(packaged === undefined ? [] : [packaged]), ...folders.map((folder) => join(folder, "isolet"))].find(isProgram);
  if (found !== undefined) return found;
  throw new HostError(`the program \`isolet\` is not there: ${missing()}`);
}

/** The program in the package for this platform, which npm has installed beside this one where it fits. */
function packagedProgram(): string | undefined {
  const { platform, loader } = here();
  if (loader === undefined || !existsSync(loader)) return undefined;
  try {
    const manifest = createRequire(import.meta.url).resolve(`@isolet/${platform}/package.json`);
    return join(dirname(manifest), "bin", "isolet");
  } catch {
    return undefined;
  }
}

/** Why, and what to do about it. */
function missing(): string {
  const { platform, loader } = here();
  const own = "there is none on the `PATH`: build it with `cargo install isolet-server --locked`, or name it in the variable `ISOLET`";
  if (loader === undefined) return `there is no package of it for ${platform}, and ${own}`;
  if (!existsSync(loader)) return `that of the package \`@isolet/${platform}\` needs glibc, and this system has no \`${loader}\`, and ${own}`;
  return (
    `the package \`@isolet/${platform}\` is not installed, which npm leaves out with \`--omit=optional\` and with a lock file of another platform: ` +
    `\`npm install @isolet/${platform}@${VERSION}\``
  );
}

function here(): { platform: string; loader: string | undefined } {
  const platform = `${process.platform}-${process.arch}`;
  return { platform, loader: PACKAGED[platform] };
}

/** A file that can be started, and is not the command of this package, which would look for the program in its turn. */
function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() && !realpathSync(path).endsWith(join("isolet", "dist", "bin.js"));
  } catch {
    return false;
  }
}
