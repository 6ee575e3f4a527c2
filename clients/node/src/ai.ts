/** A scope as one tool of Vercel's AI SDK. */
import { description, PROGRAM, run, type RunCodeOptions } from "./run-code.js";
import type { Scope } from "./scope.js";

/** What is needed of the package `ai`: pass `{ tool, jsonSchema }` of the version that you use. */
export interface AiSdk<Made> {
  tool(definition: any): Made;
  jsonSchema(schema: any): unknown;
}

/**
 * The tool for `tools` of `generateText` and `streamText`, whose description has the types of the scope within `budget` tokens.
 *
 * What the program did, a failure included, is the tool's result: the model mends it. Faults of the host and of the caller are thrown.
 */
export async function runCodeTool<Made>(ai: AiSdk<Made>, scope: Scope, options: RunCodeOptions = {}): Promise<Made> {
  return ai.tool({
    description: await description(scope, options),
    inputSchema: ai.jsonSchema({
      type: "object",
      properties: { program: { type: "string", description: PROGRAM } },
      required: ["program"],
      additionalProperties: false,
    }),
    execute: ({ program }: { program: string }, { abortSignal }: { abortSignal?: AbortSignal } = {}) => run(scope, program, abortSignal),
  });
}
