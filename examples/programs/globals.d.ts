// What programs use of an isolate beside JavaScript itself and the tools of their scope: for editors and `tsc`.

/** A tool that failed. */
declare class ToolError extends Error {
  /** Stable: `invalid_arguments`, `tool_failed`, `timed_out`, ... */
  readonly code: string;
  /** Whether the same call may work later. */
  readonly retryable: boolean;
  /** As the program wrote it, `tracker.list_issues`. */
  readonly tool?: string;
}

declare namespace console {
  function debug(...values: unknown[]): void;
  function log(...values: unknown[]): void;
  function info(...values: unknown[]): void;
  function warn(...values: unknown[]): void;
  function error(...values: unknown[]): void;
}

declare function setTimeout(callback: () => void, milliseconds?: number): number;
declare function clearTimeout(timer?: number): void;
declare function structuredClone<T>(value: T): T;

/** What there is to call. */
declare namespace tools {
  /** The tools nearest to a query, best first. */
  function search(query: string, limit?: number): Promise<{ path: string; signature: string }[]>;
  /** The full declarations of tools. */
  function describe(...paths: string[]): Promise<string>;
}
