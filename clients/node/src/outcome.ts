/** What a run gave: `runtime/schemas/outcome.json` describes the form that it is made from. */

/** A line that the program said. Its text is the program's: data wherever it is shown. */
export interface ConsoleLine {
  readonly level: "debug" | "log" | "info" | "warn" | "error";
  readonly text: string;
}

/** A call of a tool, for audit. */
export interface Call {
  readonly call: number;
  readonly path: string;
  readonly server: string;
  readonly tool: string;
  readonly line: number;
  readonly argumentBytes: number;
  readonly replyBytes: number;
  readonly durationMs: number;
  /** `answered`, `cancelled`, or the code of the `ToolError` that the program got. */
  readonly end: string;
  readonly warnings: readonly string[];
}

/** What the program threw. */
export interface GuestError {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
  readonly stack: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly sourceLine: string | null;
  readonly causes: readonly string[];
  readonly nearest: readonly string[];
}

/** Why the program was ended. */
export interface Stop {
  readonly kind: "wall" | "cpu" | "heap" | "data" | "guest_lost" | "calls" | "traffic" | "output" | "deadlock" | "cancelled";
  readonly message: string;
}

/** What the run took. */
export interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly hostCpuMs: number;
  readonly heapBytes: number;
  readonly origin: "ready" | "forked" | "cold" | "spawned";
}

interface Common {
  /** Which run it was. */
  readonly run: string;
  /** Whether a mended program can be run as if this run had never been: no call of it has reached a tool. */
  readonly repairSafe: boolean;
  readonly notes: readonly string[];
  readonly console: readonly ConsoleLine[];
  readonly calls: readonly Call[];
  readonly cost: Cost;
}

/** The program returned. */
export interface Returned extends Common {
  readonly end: "returned";
  readonly value: any;
}

/** The program threw, or was none. `message` is for the model. */
export interface Threw extends Common {
  readonly end: "threw";
  readonly error: GuestError;
  readonly message: string;
}

/** The program was ended. `message` is for the model. */
export interface Stopped extends Common {
  readonly end: "stopped";
  readonly stop: Stop;
  readonly message: string;
}

/** What a run gave. Everything that had arrived before the end is in it, whatever the end. */
export type Outcome = Returned | Threw | Stopped;

/** What a model needs of an outcome, as JSON: the value or the message, notes and console lines where there are any. */
export function forModel(outcome: Outcome): string {
  const { end, notes, console: lines } = outcome;
  return JSON.stringify({
    end,
    ...(outcome.end === "returned" ? { value: outcome.value as unknown } : { message: outcome.message, repair_safe: outcome.repairSafe }),
    ...(notes.length > 0 && { notes }),
    ...(lines.length > 0 && { console: lines.map(({ level, text }) => (level === "log" ? { text } : { level, text })) }),
  });
}

const VERSION = 1;

/** The outcome in the program's form. */
export function outcomeOf(form: Record<string, unknown>): Outcome {
  if (form["version"] !== VERSION) {
    throw new TypeError(`an outcome of version ${String(form["version"])} cannot be read: this package reads version ${VERSION}`);
  }
  const { value, ...rest } = form;
  const outcome = camel(rest) as Record<string, unknown>;
  delete outcome["version"];
  if (form["end"] === "returned") outcome["value"] = value;
  return outcome as unknown as Outcome;
}

/** The same with names as JavaScript has them. */
export function camel(form: unknown): unknown {
  if (Array.isArray(form)) return form.map(camel);
  if (form === null || typeof form !== "object") return form;
  const key = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(form).map(([name, member]) => [key(name), camel(member)]));
}
