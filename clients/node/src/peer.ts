/** The program `isolet exec` and the conversation with it: JSON-RPC 2.0, one message a line. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { CallerError, HostError } from "./errors.js";

/** Errors that are no mistake of the caller: busy, failed, a fault of the program. */
const HOST_CODES = new Set([-32000, -32001, -32603]);
const END_MAX_MS = 5000;
const WORDS_MAX = 20;

interface Waiting {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Who hears what the program says of itself. */
export interface Listener {
  called(id: string, params: Record<string, unknown>): void;
  told(method: string, params: Record<string, unknown>): void;
}

/** One process. */
export class Peer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #program: string;
  readonly #waiting = new Map<number, Waiting>();
  /** What it has not answered, also what nobody waits for any more. */
  readonly #unanswered = new Set<number>();
  /** The calls of tools that are neither answered nor taken back. One of a run that was cancelled is taken back after the run's answer. */
  readonly #calls = new Set<string>();
  readonly #ended: Promise<void>;
  #last = 0;
  #dead: HostError | undefined;
  #words: string[] = [];
  #keepsAlive: boolean | undefined;

  /** Starts the program. A signal of the terminal is for this process alone, which then ends the other. */
  constructor(program: string, listener: Listener) {
    this.#program = program;
    this.#child = spawn(program, ["exec"], { stdio: ["pipe", "pipe", "pipe"], detached: true });
    const { stdin, stdout, stderr } = this.#child;
    stdin.on("error", () => {}); // whoever waits is told when it has ended
    lines(stderr, (line) => {
      this.#words = [...this.#words, line].slice(-WORDS_MAX);
    });
    lines(stdout, (line) => {
      try {
        this.#hear(JSON.parse(line) as Record<string, unknown>, listener);
      } catch (error) {
        this.#die(`said what cannot be understood: ${String(error)}`);
        this.kill();
      }
    });
    this.#ended = new Promise((resolve) => {
      this.#child.on("error", (error) => {
        this.#die(`cannot be started: ${error.message}`);
        resolve();
      });
      this.#child.on("close", (code, signal) => {
        const words = this.#words.length === 0 ? "" : `: ${this.#words.join("; ")}`;
        this.#die(`ended with ${signal ?? `exit code ${String(code)}`}${words}`);
        resolve();
      });
    });
    this.#keepAlive();
  }

  /** Asks, and waits for the answer. A signal that is aborted cancels the request. */
  request(method: string, params: object, options: { signal?: AbortSignal | undefined; onId?: (id: number) => void } = {}): Promise<unknown> {
    const { signal, onId } = options;
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    this.#last += 1;
    const id = this.#last;
    const text = encode({ jsonrpc: "2.0", id, method, params });
    onId?.(id);
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.say(encode({ jsonrpc: "2.0", method: "cancel", params: { request: id } }));
        settle(() => reject(signal?.reason as Error));
      };
      const settle = (how: () => void) => {
        signal?.removeEventListener("abort", abort);
        this.#waiting.delete(id);
        how();
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.set(id, { resolve: (result) => settle(() => resolve(result)), reject: (error) => settle(() => reject(error)) });
      this.#unanswered.add(id);
      this.#keepAlive();
      this.say(text);
    });
  }

  /** Sends what is a message already: the first of a turn of the event loop at once, others with it by one call. */
  say(text: string): void {
    const { stdin } = this.#child;
    if (this.#dead !== undefined || !stdin.writable) return;
    stdin.write(`${text}\n`);
    if (stdin.writableCorked > 0) return;
    stdin.cork();
    process.nextTick(() => stdin.uncork());
  }

  /** Answers a call with a message, unless it was taken back. */
  answer(id: string, text: string): void {
    if (!this.#calls.delete(id)) return;
    this.#keepAlive();
    this.say(text);
  }

  /** Ends the program and waits for it; within ten seconds nothing of it is left. */
  async close(): Promise<void> {
    const patience = (ms: number) => AbortSignal.timeout(ms);
    await this.request("shutdown", {}, { signal: patience(END_MAX_MS) }).catch(() => {});
    this.#child.stdin.end();
    this.#child.ref();
    const timer = setTimeout(() => this.kill(), END_MAX_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Ends the program at once. */
  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null) return;
    try {
      process.kill(-pid, "SIGKILL"); // it leads a session, so this reaches whatever it has started
    } catch {
      // It has ended in this moment.
    }
  }

  #hear(message: Record<string, unknown>, listener: Listener): void {
    const { id, method } = message;
    const params = (message["params"] ?? {}) as Record<string, unknown>;
    if (typeof method === "string" && typeof id === "string") {
      this.#calls.add(id);
      this.#keepAlive();
      return listener.called(id, params);
    }
    if (method === "tool/cancelled") {
      this.#calls.delete(String(params["id"]));
      this.#keepAlive();
    }
    if (typeof method === "string") return listener.told(method, params);
    if (typeof id !== "number") return;
    this.#unanswered.delete(id);
    this.#keepAlive();
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    if ("error" in message) waiting.reject(raised(message["error"] as Record<string, unknown>));
    else waiting.resolve(message["result"]);
  }

  #die(what: string): void {
    this.#dead ??= new HostError(`the program \`${this.#program}\` ${what}`, { retryable: true });
    for (const waiting of [...this.#waiting.values()]) waiting.reject(this.#dead);
  }

  /** The process keeps this one alive as long as it owes an answer or a call is open, and no longer. */
  #keepAlive(): void {
    const owes = this.#unanswered.size + this.#calls.size > 0;
    if (owes === this.#keepsAlive) return;
    this.#keepsAlive = owes;
    const { stdin, stdout, stderr } = this.#child;
    const how = owes ? "ref" : "unref";
    this.#child[how]();
    for (const stream of [stdin, stdout, stderr] as unknown as Record<"ref" | "unref", (() => void) | undefined>[]) stream[how]?.();
  }
}

function lines(stream: NodeJS.ReadableStream, hear: (line: string) => void): void {
  let parts: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(parts).toString();
      parts = [];
      start = end + 1;
      hear(line);
    }
    parts.push(chunk.subarray(start));
  });
}

function encode(message: object): string {
  try {
    return JSON.stringify(message);
  } catch (error) {
    throw new CallerError(`what is to be sent cannot be JSON: ${String(error)}`);
  }
}

function raised(error: Record<string, unknown>): Error {
  const message = String(error["message"]);
  if (!HOST_CODES.has(error["code"] as number)) return new CallerError(message);
  const data = (error["data"] ?? {}) as { retryable?: boolean; retry_after_ms?: number };
  const after = data.retry_after_ms === undefined ? {} : { retryAfterMs: data.retry_after_ms };
  return new HostError(message, { retryable: data.retryable === true, ...after });
}
