// The only door out of the isolate: `github.create_issue(arguments)`.
//
// A call is one synchronous op and a promise kept here until the loop settles it. Calls beyond those in flight wait here.
// Everything that the guest could replace later (`JSON.parse`) was taken before it ran; none of it is a boundary: the host
// decides on each call by itself (DESIGN.md, decision 4).
"use strict";
((globalThis) => {
  const {
    ArrayPrototypePush, Error, JSONParse, JSONStringify, ObjectDefineProperty, ObjectFreeze, Promise, PromisePrototypeThen,
    PromiseReject, SafeMap, ReflectApply,
  } = globalThis.__bootstrap.primordials;
  const { op_call, op_done, op_place } = globalThis.Deno.core.ops;
  const { errorText, resultText, say, levels } = globalThis.__isolet;

  const SEARCH = 0x7fffffff;
  const DESCRIBE = 0x7ffffffe;
  const RETURNED = 0;
  const THREW = 1;

  // A tool that failed. `code` is stable, `message` is for people and models, `retryable` says whether the same call may work later.
  // Where the call of a failed tool was made, as `op_place` says it, is in a private field: nobody else sees or sets it.
  let placeOf, setPlace;
  class ToolError extends Error {
    #place = 0;
    static {
      placeOf = (error) => typeof error === "object" && error !== null && #place in error ? error.#place : 0;
      setPlace = (error, place) => { error.#place = place; };
    }
    constructor(message, facts) {
      super(message);
      const fields = facts ?? { __proto__: null };
      const define = (name, value) => ObjectDefineProperty(this, name, { __proto__: null, value, writable: true, configurable: true, enumerable: true });
      define("code", fields.code ?? "tool_failed");
      define("retryable", fields.retryable === true);
      if (fields.tool !== undefined) define("tool", fields.tool);
    }
  }
  ObjectDefineProperty(ToolError.prototype, "name", { __proto__: null, value: "ToolError", writable: true, configurable: true });
  ObjectDefineProperty(globalThis, "ToolError", { __proto__: null, value: ToolError, writable: true, configurable: true });

  let argumentLengthMax = 0;
  let callsInFlightMax = 1;
  let inFlight = 0;
  let lastCall = 0;
  const waiting = new SafeMap(); // call -> { resolve, reject, path, position }
  const queued = []; // calls beyond those in flight, in order; `queueHead` is the first that was not sent
  let queueHead = 0;

  function failed(path, code, message, retryable, position) {
    const error = new ToolError(message, { __proto__: null, code, retryable, tool: path });
    setPlace(error, position);
    const place = position > 0 ? "\n    at " + path + " (main.ts:" + (position >>> 12) + ":" + (position & 4095) + ")" : "";
    ObjectDefineProperty(error, "stack", {
      __proto__: null, value: "ToolError: " + error.message + place, writable: true, configurable: true,
    });
    return error;
  }

  function send(entry) {
    inFlight++;
    const call = ++lastCall;
    waiting.set(call, entry);
    entry.position = op_call(call, entry.index, entry.position, entry.text);
    entry.text = "";
  }

  function call(index, path, argument) {
    let text;
    try {
      text = argument === undefined ? "{}" : JSONStringify(argument) ?? "null";
    } catch (error) {
      return PromiseReject(error);
    }
    if (text.length > argumentLengthMax) {
      return PromiseReject(failed(path, "too_large", "the arguments of `" + path + "` are " + text.length + " characters long, the limit is " + argumentLengthMax + ": send less at a time", false, 0));
    }
    return new Promise((resolve, reject) => {
      const entry = { __proto__: null, index, path, text, resolve, reject, position: 0 };
      if (inFlight < callsInFlightMax) {
        send(entry);
      } else {
        entry.position = op_place(); // when it is sent, the program does not run
        ArrayPrototypePush(queued, entry);
      }
    });
  }

  // The host's answer to one call: JSON text of the value, or of `{code, message, retryable}`.
  function settle(id, succeeded, text) {
    const entry = waiting.get(id);
    if (entry === undefined) return;
    waiting.delete(id);
    inFlight--;
    const value = JSONParse(text);
    if (succeeded) entry.resolve(value);
    else entry.reject(failed(entry.path, value.code, value.message, value.retryable, entry.position));
    if (queueHead < queued.length) {
      const next = queued[queueHead];
      queued[queueHead++] = undefined;
      if (queueHead === queued.length) queueHead = queued.length = 0;
      send(next);
    }
  }

  function tool(index, path, name) {
    const callTool = (argument) => call(index, path, argument);
    ObjectDefineProperty(callTool, "name", { __proto__: null, value: name, configurable: true });
    return ObjectFreeze(callTool);
  }

  function namespace(name, members) {
    ObjectDefineProperty(globalThis, name, { __proto__: null, value: ObjectFreeze(members), enumerable: true });
  }

  let searchIsThere = false;

  // Makes the namespaces of one scope: `[{ name, tools: [identifier] }]`, indices are consecutive.
  function install(manifest) {
    let index = 0;
    for (let place = 0; place < manifest.length; place++) {
      const { name, tools } = manifest[place];
      const members = { __proto__: null };
      for (let at = 0; at < tools.length; at++) members[tools[at]] = tool(index++, name + "." + tools[at], tools[at]);
      namespace(name, members);
    }
    if (searchIsThere) return; // from the warm-up, which has an empty manifest
    searchIsThere = true;
    // Made as the others are, so that the warm-up has compiled what every tool is made of.
    const searchTools = tool(SEARCH, "tools.search", "search");
    const describeTools = tool(DESCRIBE, "tools.describe", "describe");
    const search = (query, limit) => searchTools({ __proto__: null, query, limit });
    const describe = (...paths) => describeTools({ __proto__: null, paths });
    namespace("tools", { __proto__: null, search: ObjectFreeze(search), describe: ObjectFreeze(describe) });
  }

  // Sets the limits of one run, and forgets the warm-up's calls.
  function beginCalls(argumentLength, callsInFlight) {
    argumentLengthMax = argumentLength;
    callsInFlightMax = callsInFlight;
    lastCall = 0;
    ended = false;
  }

  let ended = false;
  function threw(error) {
    if (ended) return;
    ended = true;
    op_done(THREW, errorText(error), error, placeOf(error));
  }

  function returned(value) {
    if (ended) return;
    let text;
    try {
      text = resultText(value);
    } catch (error) {
      threw(error);
      return;
    }
    if (ended) return;
    ended = true;
    op_done(RETURNED, text, undefined, 0);
  }

  // Starts the program: an async function without parameters.
  function start(program) {
    PromisePrototypeThen(ReflectApply(program, undefined, []), returned, threw);
  }

  // A promise that was rejected and never handled: said, and never the end of the run.
  function unhandled(error) {
    say(levels.error, ["unhandled rejection:", error]);
  }

  const isolet = globalThis.__isolet;
  isolet.install = install;
  isolet.beginCalls = beginCalls;
  isolet.settle = settle;
  isolet.start = start;
  isolet.threw = threw;
  isolet.unhandled = unhandled;
})(globalThis);
