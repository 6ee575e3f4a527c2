/** Where the program `isolet` is. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { HostError } from "./errors.js";

/** The path of the program: named, in the variable `ISOLET`, packaged with this one, or on the `PATH`. */
export function findProgram(named?: string): string {
  for (const [said, path] of [["`program`", named], ["the variable `ISOLET`", process.env["ISOLET"]]] as const) {
    if (!path) continue;
    if (isProgram(path)) return path;
    throw new HostError(`${said} names \`${path}\`, which is no program that can be started: name the program \`isolet\``);
  }
  const beside = fileURLToPath(new URL("../bin/isolet", import.meta.url));
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = [beside, ...folders.map((folder) => join(folder, "isolet"))].find(isProgram);
  if (found !== undefined) return found;
  throw new HostError(
    "the program `isolet` is not there: this package has none for this platform, and there is none on the `PATH`: " +
      "install it with `cargo install isolet-server`, or name it in the variable `ISOLET`",
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
