/** Errors, by whose fault it is. */

/** What a tool may say of its failure; anything else is `tool_failed`. */
export type ToolErrorCode =
  | "tool_failed"
  | "invalid_arguments"
  | "too_large"
  | "timed_out"
  | "cancelled"
  | "unavailable"
  | "unauthorized"
  | "cannot_ask"
  | "rate_limited"
  | "invalid_reply"
  | "internal";

/** No outcome of a program: the fault of the host or of the caller. */
export class IsoletError extends Error {
  override name = "IsoletError";
}

/** The machine, a server or the program `isolet` failed. */
export class HostError extends IsoletError {
  override name = "HostError";
  /** Whether the same may succeed later. */
  readonly retryable: boolean;
  /** When at the earliest, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { retryable?: boolean; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A mistake in the use of this package: a definition, a pattern, an option, a scope that is closed. */
export class CallerError extends IsoletError {
  override name = "CallerError";
}

/** Thrown by a tool: the program gets it as an exception with these words and this code. */
export class ToolError extends Error {
  override name = "ToolError";
  readonly code: ToolErrorCode;
  readonly retryable: boolean | undefined;

  constructor(message: string, options: { code?: ToolErrorCode; retryable?: boolean } = {}) {
    super(message);
    this.code = options.code ?? "tool_failed";
    this.retryable = options.retryable;
  }
}
