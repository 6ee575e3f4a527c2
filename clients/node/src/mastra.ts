/** A scope as one tool of Mastra. */
import type { Zod } from "./mcp.js";
import { description, NAME, PROGRAM, run, type RunCodeOptions } from "./run-code.js";
import type { Scope } from "./scope.js";

/** What is needed of `@mastra/core/tools`, and the `z` of `zod`: pass those of the versions that you use. */
export interface Mastra<Made> {
  createTool(definition: any): Made;
  z: Zod;
}

/**
 * The tool for `tools` of an agent, whose description has the types of the scope within `budget` tokens.
 *
 * What the program did, a failure included, is the tool's result: the model mends it. Faults of the host and of the caller are thrown.
 */
export async function runCodeMastraTool<Made>(mastra: Mastra<Made>, scope: Scope, options: RunCodeOptions = {}): Promise<Made> {
  return mastra.createTool({
    id: options.name ?? NAME,
    description: await description(scope, options),
    inputSchema: mastra.z.object({ program: mastra.z.string().describe(PROGRAM) }),
    execute: ({ program }: { program: string }, { abortSignal }: { abortSignal?: AbortSignal } = {}) => run(scope, program, abortSignal),
  });
}
