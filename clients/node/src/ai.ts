/** A scope as one tool of Vercel's AI SDK. */
import { forModel } from "./outcome.js";
import type { Scope } from "./scope.js";

/** What is needed of the package `ai`: pass `{ tool, jsonSchema }` of the version that you use. */
export interface AiSdk<Made> {
  tool(definition: any): Made;
  jsonSchema(schema: any): unknown;
}

const DESCRIPTION =
  "Run a TypeScript program: the body of an async function, which may call these functions and returns what you need to know. " +
  "Do as much as you can in one program: loop, filter and combine results there.";

/**
 * The tool for `tools` of `generateText` and `streamText`, whose description has the types of the scope within `budget` tokens.
 *
 * What the program did, a failure included, is the tool's result: the model mends it. Faults of the host and of the caller are thrown.
 */
export async function runCodeTool<Made>(ai: AiSdk<Made>, scope: Scope, options: { budget?: number } = {}): Promise<Made> {
  const types = await scope.types({ budget: options.budget ?? 2000 });
  return ai.tool({
    description: `${DESCRIPTION}\n\n${types}`,
    inputSchema: ai.jsonSchema({
      type: "object",
      properties: { program: { type: "string", description: "The program." } },
      required: ["program"],
      additionalProperties: false,
    }),
    execute: async ({ program }: { program: string }, { abortSignal }: { abortSignal?: AbortSignal } = {}) =>
      forModel(await scope.run(program, abortSignal ? { signal: abortSignal } : {})),
  });
}
