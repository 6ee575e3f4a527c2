/** Tools: definitions as MCP has them, each with the function that answers its calls. */
import { ToolError } from "./errors.js";

/** A JSON Schema. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** What a tool is told beside its arguments. */
export interface ToolContext {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** A tool. `call` gets the arguments, which match `inputSchema`, and returns a value that JSON can say, or a promise of one. */
export interface Tool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema?: JsonSchema;
  readonly outputSchema?: JsonSchema;
  call(args: any, context: ToolContext): unknown;
}

/** A tool whose arguments have a type. */
export function tool<Arguments = Record<string, unknown>>(
  definition: Omit<Tool, "call"> & { call(args: Arguments, context: ToolContext): unknown },
): Tool {
  return definition;
}

/** The definition as `tools/list` has it. */
export function definitionOf({ name, description, inputSchema, outputSchema }: Tool): JsonSchema {
  return { name, inputSchema: inputSchema ?? { type: "object" }, ...(description && { description }), ...(outputSchema && { outputSchema }) };
}

const TEXT_MAX = 2000;

/** The message that answers a call. Whatever the tool does, there is one, without a stack. */
export async function answerOf(id: string, tool: Tool, args: unknown, signal: AbortSignal, bytesMax: number): Promise<string> {
  let value: unknown;
  try {
    value = await tool.call(args, { signal });
  } catch (error) {
    if (error instanceof ToolError) return failure(id, error.message, error.code, error.retryable);
    return failure(id, wordsOf(error), "tool_failed");
  }
  let json: string | undefined;
  try {
    json = JSON.stringify(value === undefined ? null : value) as string | undefined;
  } catch (error) {
    return failure(id, `the tool \`${tool.name}\` returned what JSON cannot say: ${wordsOf(error)}`, "invalid_reply");
  }
  // What JSON leaves out without a word.
  if (json === undefined) return failure(id, `the tool \`${tool.name}\` returned what JSON cannot say: a ${typeof value}`, "invalid_reply");
  const text = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"value":${json}}}`;
  const bytes = Buffer.byteLength(text);
  if (bytes > bytesMax) {
    const words = `the answer of the tool \`${tool.name}\` has ${bytes} bytes, the limit is ${bytesMax}: ask for less at a time`;
    return failure(id, words, "too_large");
  }
  return text;
}

/** The answer to a call of what is not there. */
export function noTool(id: string, server: string, name: string): string {
  return failure(id, `there is no tool \`${name}\` in \`${server}\``, "internal");
}

function wordsOf(error: unknown): string {
  try {
    return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, TEXT_MAX);
  } catch {
    return "the tool failed";
  }
}

function failure(id: string, message: string, code: string, retryable?: boolean): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code: 1, message, data: { code, ...(retryable !== undefined && { retryable }) } } });
}
