/** What a program may call, and the runs of programs. */
import { CallerError, HostError } from "./errors.js";
import { type Limits, named } from "./limits.js";
import { type Outcome, outcomeOf } from "./outcome.js";
import type { Peer } from "./peer.js";
import { definitionOf, type Tool } from "./tools.js";

/** What a scope holds. `allow` and `deny` are patterns for `namespace.tool`; `pins` fix arguments: `{ "github.list_issues": { owner: "acme" } }`. */
export interface ScopeOptions {
  /** Tools that a program calls as `app.NAME` (or as `name` says), or lists of them by namespace. */
  readonly tools?: readonly Tool[] | Readonly<Record<string, readonly Tool[]>>;
  readonly name?: string;
  /** MCP servers as a client's configuration names them: `{ github: { command: "...", args: [] } }`. */
  readonly servers?: Readonly<Record<string, object>>;
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly pins?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly rename?: Readonly<Record<string, string>>;
  readonly describe?: Readonly<Record<string, string>>;
  /** The variables of the environment that the servers' configuration may use, and the servers get. */
  readonly environment?: readonly string[];
  /** Where servers may be that are called over HTTP. */
  readonly addresses?: readonly string[];
}

/** What happens in a run, as it happens. */
export type Event =
  | { readonly kind: "console"; readonly level: string; readonly text: string }
  | { readonly kind: "called"; readonly call: number; readonly path: string }
  | { readonly kind: "answered"; readonly call: number; readonly path: string; readonly end: string; readonly durationMs: number };

/** How one run differs from others. */
export interface RunOptions {
  /** Lower than those of the runtime. */
  readonly limits?: Limits;
  /** Where randomness begins, and where the clock does, milliseconds since 1970. */
  readonly seed?: readonly [number, number, number, number];
  readonly clockMs?: number;
  /** Ends the run when it is aborted; the promise is rejected with its reason. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Event) => void;
}

/** What a scope needs of its runtime. */
export interface Owner {
  peer(): Peer;
  opened(name: string, scope: Scope): void;
  closed(name: string): void;
  began(run: number, onEvent: ((event: Event) => void) | undefined): void;
  ended(run: number): void;
}

/** What a program may call. It is opened at its first use, and closed with its runtime at the latest. */
export class Scope implements AsyncDisposable {
  readonly #owner: Owner;
  readonly #tools: ReadonlyMap<string, ReadonlyMap<string, Tool>>;
  readonly #params: object;
  #opening: Promise<string> | undefined;
  #isClosed = false;
  /** What may have been meant otherwise, and what is left out, when it is open. */
  warnings: readonly string[] = [];
  /** Why servers failed whose tools are not there, when it is open. */
  failures: readonly string[] = [];

  constructor(owner: Owner, options: ScopeOptions) {
    this.#owner = owner;
    if (Array.isArray(options)) throw new CallerError("the options of a scope are an object: write `{ tools: [...] }`");
    const { tools = [], name = "app", servers, allow = [], deny = [], pins = {}, rename = {}, describe = {}, environment = [], addresses = [] } =
      options;
    const lists = listsOf(tools, name);
    this.#tools = new Map(Object.entries(lists).map(([server, listed]) => [server, byName(server, listed)]));
    const definitions = Object.entries(lists).map(([server, listed]) => [server, listed.map(definitionOf)]);
    this.#params = {
      tools: Object.fromEntries(definitions) as object,
      allow,
      deny,
      pins,
      rename,
      describe,
      environment,
      addresses,
      ...(servers && { configuration: { mcpServers: servers } }),
    };
  }

  /** Opens it: servers are started and asked for their tools. */
  async open(): Promise<this> {
    await this.#opened();
    return this;
  }

  /** The TypeScript of the tools, for the model: in full, or within so many tokens. */
  async types(options: { budget?: number } = {}): Promise<string> {
    const scope = await this.#opened();
    const said = (await this.#owner.peer().request("types", { scope, ...options })) as { types: string };
    return said.types;
  }

  /** Runs a program: the body of an async function in TypeScript. */
  async run(program: string, options: RunOptions = {}): Promise<Outcome> {
    const { limits, seed, clockMs, signal, onEvent } = options;
    const scope = await this.#opened();
    const params = {
      scope,
      program,
      limits: named(limits),
      ...(seed && { seed }),
      ...(clockMs !== undefined && { clock_ms: clockMs }),
      ...(onEvent && { events: true }),
    };
    let run: number | undefined;
    try {
      const began = (id: number) => {
        run = id;
        this.#owner.began(id, onEvent);
      };
      return outcomeOf((await this.#owner.peer().request("run", params, { signal, onId: began })) as Record<string, unknown>);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new HostError(`the program \`isolet\` gave an outcome that this package cannot read: ${error.message}`, { cause: error });
    } finally {
      if (run !== undefined) this.#owner.ended(run);
    }
  }

  /** Ends its runs and its servers. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#isClosed = true;
    this.#opening = undefined;
    const scope = await opening?.catch(() => undefined);
    if (scope === undefined) return;
    this.#owner.closed(scope);
    await this.#owner.peer().request("scope/close", { scope });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The tool of this process; for the runtime. */
  own(server: string, name: string): Tool | undefined {
    return this.#tools.get(server)?.get(name);
  }

  #opened(): Promise<string> {
    if (this.#isClosed) return Promise.reject(new CallerError("the scope is closed: make another one with `runtime.scope(...)`"));
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<string> {
    const said = (await this.#owner.peer().request("scope/open", this.#params)) as { scope: string; warnings: string[]; failures: string[] };
    this.warnings = said.warnings;
    this.failures = said.failures;
    this.#owner.opened(said.scope, this);
    return said.scope;
  }
}

/** The lists by namespace. What is not typed may be anything. */
function listsOf(tools: unknown, name: string): Readonly<Record<string, readonly Tool[]>> {
  const lists: unknown = !Array.isArray(tools) ? tools : tools.length > 0 ? { [name]: tools } : {};
  const isOne = (listed: unknown) => !Array.isArray(listed);
  if (typeof lists !== "object" || lists === null || Object.values(lists).some(isOne)) {
    throw new CallerError("`tools` is a list of tools, or such lists by namespace: write `[...]` around a tool");
  }
  for (const [server, listed] of Object.entries(lists) as [string, unknown[]][]) for (const tool of listed) check(server, tool);
  return lists as Readonly<Record<string, readonly Tool[]>>;
}

function check(server: string, tool: unknown): void {
  const { name, call } = (tool ?? {}) as Partial<Tool>;
  if (typeof name === "string" && typeof call === "function" && typeof tool === "object") return;
  throw new CallerError(`\`${server}\` has what is no tool: a tool is an object with a text \`name\` and a function \`call\``);
}

function byName(server: string, tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  const named = new Map(tools.map((tool) => [tool.name, tool]));
  if (named.size !== tools.length) throw new CallerError(`two tools of \`${server}\` have one name: give one of them another`);
  return named;
}
