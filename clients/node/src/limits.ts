/** The limits of runs: sizes in bytes, times in milliseconds. docs/exec.md says what each does. */
export interface Limits {
  wallMaxMs?: number;
  drainMaxMs?: number;
  cpuMaxMs?: number;
  heapBytesMax?: number;
  bufferBytesMax?: number;
  dataBytesMax?: number;
  sourceBytesMax?: number;
  sourceNestingMax?: number;
  callsMax?: number;
  callsInFlightMax?: number;
  argumentBytesMax?: number;
  argumentBytesTotalMax?: number;
  replyBytesMax?: number;
  replyBytesTotalMax?: number;
  heldBytesMax?: number;
  resultBytesMax?: number;
  consoleBytesMax?: number;
  consoleLinesMax?: number;
}

/** The limits under the names that the program has for them. */
export function named(limits: Limits = {}): Record<string, number> {
  const name = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(limits).map(([key, value]) => [name(key), value]));
}

/** The limits that the program names. */
export function unnamed(limits: Record<string, number>): Required<Limits> {
  const key = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(limits).map(([name, value]) => [key(name), value])) as Required<Limits>;
}
