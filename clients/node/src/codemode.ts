/** Isolet as the executor of Cloudflare's codemode. */
import type { Outcome } from "./outcome.js";
import type { Runtime } from "./runtime.js";
import type { Tool } from "./tools.js";

/** Functions that codemode gives a program, by name. */
export type CodemodeFunctions = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;

/** Functions, and the namespace under which a program calls them. */
export interface CodemodeProvider {
  readonly name: string;
  readonly fns: CodemodeFunctions;
  readonly prelude?: string;
}

/** What became of a program, as codemode wants it. */
export interface CodemodeResult {
  result: unknown;
  error?: string;
  logs?: string[];
}

/** An `Executor` of `@cloudflare/codemode`: `createCodeTool({ tools, executor: new CodemodeExecutor(runtime) })`. It never throws. */
export class CodemodeExecutor {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Runs the program, which calls the functions of each provider under its name; functions without one are `codemode`'s. */
  async execute(
    code: string,
    providers: readonly CodemodeProvider[] | CodemodeFunctions,
    options: { readonly connectors?: readonly unknown[] } = {},
  ): Promise<CodemodeResult> {
    const listed = isList(providers) ? providers : [{ name: "codemode", fns: providers }];
    const unsupported = listed.some(({ prelude }) => prelude !== undefined) || (options.connectors ?? []).length > 0;
    if (unsupported) return { result: undefined, error: "preludes and connectors belong to Cloudflare's own executor: leave them out" };
    try {
      await using scope = this.#runtime.scope({ tools: Object.fromEntries(listed.map(({ name, fns }) => [name, toolsOf(fns)])) });
      return resultOf(await scope.run(code));
    } catch (error) {
      return { result: undefined, error: error instanceof Error ? error.message : String(error) };
    }
  }
}

function isList(providers: readonly CodemodeProvider[] | CodemodeFunctions): providers is readonly CodemodeProvider[] {
  return Array.isArray(providers);
}

function toolsOf(functions: CodemodeFunctions): Tool[] {
  return Object.entries(functions).map(([name, call]) => ({ name, call: (args: unknown) => call(args) }));
}

function resultOf(outcome: Outcome): CodemodeResult {
  const logs = outcome.console.map(({ level, text }) => (level === "log" ? text : `[${level}] ${text}`));
  const said = outcome.end === "returned" ? { result: outcome.value } : { result: undefined, error: outcome.message };
  return logs.length === 0 ? said : { ...said, logs };
}
