/** The runtime: once for an application. */
import { CallerError, HostError } from "./errors.js";
import { type Limits, named, unnamed } from "./limits.js";
import { camel } from "./outcome.js";
import { Peer } from "./peer.js";
import { findProgram } from "./program.js";
import { type Event, Scope, type ScopeOptions } from "./scope.js";
import { answerOf, noTool } from "./tools.js";
import { VERSION } from "./version.js";

/** The version of what is spoken with the program. */
const PROTOCOL = 1;
const START_MAX_MS = 30_000;

/** How a runtime is set up. */
export interface RuntimeOptions {
  /** The path of the program `isolet`. Default: the variable `ISOLET`, the one packaged with this, the one of the `PATH`. */
  readonly program?: string;
  /** The ceilings of all runs. */
  readonly limits?: Limits;
  /** Runs nothing where a wall is missing. */
  readonly strict?: boolean;
  /** Runs nothing where a wall is missing (`strict`), or another one than landlock (`system_calls`). */
  readonly isolation?: "system_calls" | "strict";
  readonly liveRunsMax?: number;
}

/** The program `isolet` as a child process: `await using runtime = await Runtime.start()`. */
export class Runtime implements AsyncDisposable {
  #peer: Peer | undefined;
  #answerBytesMax = 0;
  readonly #scopes = new Map<string, Scope>();
  readonly #events = new Map<number, (event: Event) => void>();
  readonly #calls = new Map<string, AbortController>();
  /** The ceilings in force. */
  readonly limits: Required<Limits> = {} as Required<Limits>;

  private constructor() {}

  /** Starts the program. */
  static async start(options: RuntimeOptions = {}): Promise<Runtime> {
    const runtime = new Runtime();
    const peer = new Peer(findProgram(options.program), {
      called: (id, params) => void runtime.#called(id, params),
      told: (method, params) => runtime.#told(method, params),
    });
    const { limits, strict, isolation, liveRunsMax } = options;
    const params = {
      protocol: PROTOCOL,
      client: { name: "isolet for Node.js", version: VERSION },
      limits: named(limits),
      ...(strict !== undefined && { strict }),
      ...(isolation !== undefined && { isolation }),
      ...(liveRunsMax !== undefined && { live_runs_max: liveRunsMax }),
    };
    try {
      const signal = AbortSignal.timeout(START_MAX_MS);
      const said = (await peer.request("initialize", params, { signal })) as { limits: Record<string, number>; maxima: { line_bytes: number } };
      Object.assign(runtime.limits, unnamed(said.limits));
      runtime.#answerBytesMax = said.maxima.line_bytes;
    } catch (error) {
      peer.kill();
      await peer.close();
      if (error instanceof DOMException) {
        const words = "the program `isolet` does not answer: is `program`, `ISOLET` or the `isolet` of the `PATH` another one?";
        throw new HostError(words, { cause: error });
      }
      throw error;
    }
    runtime.#peer = peer;
    return runtime;
  }

  /** What a program may call: tools of this process and of MCP servers. It is opened at its first use. */
  scope(options: ScopeOptions = {}): Scope {
    return new Scope(
      {
        peer: () => this.#running(),
        opened: (name, scope) => void this.#scopes.set(name, scope),
        closed: (name) => void this.#scopes.delete(name),
        began: (run, onEvent) => void (onEvent && this.#events.set(run, onEvent)),
        ended: (run) => void this.#events.delete(run),
      },
      options,
    );
  }

  /** Ends all runs, servers and the program, and waits for them. */
  async close(): Promise<void> {
    const peer = this.#peer;
    this.#peer = undefined;
    for (const call of this.#calls.values()) call.abort();
    await peer?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #running(): Peer {
    if (this.#peer === undefined) throw new CallerError("the runtime is closed: start another one with `Runtime.start()`");
    return this.#peer;
  }

  /** A program calls a tool of this process. */
  async #called(id: string, params: Record<string, unknown>): Promise<void> {
    const [scope, server, name] = [params["scope"], params["server"], params["tool"]].map(String) as [string, string, string];
    const controller = new AbortController();
    this.#calls.set(id, controller);
    const tool = this.#scopes.get(scope)?.own(server, name);
    const answer =
      tool === undefined ? noTool(id, server, name) : await answerOf(id, tool, params["arguments"], controller.signal, this.#answerBytesMax);
    this.#calls.delete(id);
    this.#peer?.answer(id, answer);
  }

  #told(method: string, params: Record<string, unknown>): void {
    if (method === "tool/cancelled") {
      const id = String(params["id"]);
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      call?.abort();
    } else if (method === "warning") {
      process.emitWarning(String(params["message"]), "IsoletWarning");
    } else if (method.startsWith("run/")) {
      const { run, ...told } = params;
      const event = camel({ kind: method.slice("run/".length), ...told }) as Event;
      try {
        this.#events.get(run as number)?.(event);
      } catch (error) {
        process.emitWarning(`\`onEvent\` failed: ${String(error)}`, "IsoletWarning");
      }
    }
  }
}
