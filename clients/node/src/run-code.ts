/** The tool `run_code`, as every framework is told of it. */
import { forModel } from "./outcome.js";
import type { Scope } from "./scope.js";

/** How the tool is set up. */
export interface RunCodeOptions {
  /** The tokens that the types of the scope may take in its description. Default: 2,000. */
  readonly budget?: number;
  /** Default: `run_code`. */
  readonly name?: string;
}

/** The name of the tool. */
export const NAME = "run_code";
/** What its only argument is. */
export const PROGRAM = "The program.";

const DESCRIPTION =
  "Run a TypeScript program: the body of an async function, which may call these functions and returns what you need to know. " +
  "Do as much as you can in one program: loop, filter and combine results there.";

/** What a model reads of it. */
export async function description(scope: Scope, { budget = 2000 }: RunCodeOptions): Promise<string> {
  return `${DESCRIPTION}\n\n${await scope.types({ budget })}`;
}

/** What a model is told of the program: a failure included, which it mends. Faults of the host and of the caller are thrown. */
export async function run(scope: Scope, program: string, signal: AbortSignal | undefined): Promise<string> {
  return forModel(await scope.run(program, signal ? { signal } : {}));
}
