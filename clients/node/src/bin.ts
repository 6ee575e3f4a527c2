#!/usr/bin/env node
/** The command `isolet`: the program itself, with what this process was given. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { findProgram } from "./program.js";

/** What a shell says of a command that cannot be started. */
const EXIT_NOT_STARTED = 127;

function fail(error: unknown): never {
  process.stderr.write(`isolet: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(EXIT_NOT_STARTED);
}

function start(): void {
  const program = findProgram();
  const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
  // A terminal's interrupt reaches both: this process waits for what the program makes of it.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`\`${program}\` cannot be started: ${error.message}`));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
}

try {
  start();
} catch (error) {
  fail(error);
}
