/** A scope as one tool of a server that is made with the MCP SDK. */
import { description, NAME, PROGRAM, run, type RunCodeOptions } from "./run-code.js";
import type { Scope } from "./scope.js";

/** What is needed of an `McpServer` of `@modelcontextprotocol/sdk`. */
export interface McpServer {
  registerTool(name: string, config: any, callback: any): unknown;
}

/** What is needed of the package `zod`: pass the `z` of the version that the SDK uses. */
export interface Zod {
  string(): { describe(text: string): any };
  object(shape: any): any;
}

/**
 * Registers the tool `run_code`, whose description has the types of the scope within `budget` tokens.
 *
 * What the program did, a failure included, is the tool's result: the model mends it. A request that is cancelled ends its program.
 */
export async function registerRunCode(server: McpServer, z: Zod, scope: Scope, options: RunCodeOptions = {}): Promise<void> {
  const config = { description: await description(scope, options), inputSchema: { program: z.string().describe(PROGRAM) } };
  server.registerTool(options.name ?? NAME, config, async ({ program }: { program: string }, { signal }: { signal?: AbortSignal }) => ({
    content: [{ type: "text", text: await run(scope, program, signal) }],
  }));
}
