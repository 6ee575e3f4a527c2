/** Runs the code that a language model writes, in an isolate and a process of its own, with your functions as its tools. */
export { CallerError, HostError, IsoletError, ToolError, type ToolErrorCode } from "./errors.js";
export { type AiSdk, runCodeTool } from "./ai.js";
export { CodemodeExecutor, type CodemodeFunctions, type CodemodeProvider, type CodemodeResult } from "./codemode.js";
export { type Mastra, runCodeMastraTool } from "./mastra.js";
export { type McpServer, registerRunCode, type Zod } from "./mcp.js";
export type { RunCodeOptions } from "./run-code.js";
export { forModel } from "./outcome.js";
export type { Call, ConsoleLine, Cost, GuestError, Outcome, Returned, Stop, Stopped, Threw } from "./outcome.js";
export { Runtime, type RuntimeOptions } from "./runtime.js";
export { type Event, type RunOptions, Scope, type ScopeOptions } from "./scope.js";
export type { Limits } from "./limits.js";
export { type JsonSchema, type Tool, type ToolContext, tool } from "./tools.js";
