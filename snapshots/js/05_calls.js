// The only door out of the isolate: `github.create_issue(arguments)`.
//
// A call is one synchronous op and a promise kept here until the loop settles it. Calls beyond those in flight wait here.
// Everything that the guest could replace later (`JSON.parse`) was taken before it ran; none of it is a boundary: the host
// decides on each call by itself (DESIGN.md, decision 4).
"use strict";
((globalThis) => {
  const {
    Error, JSONParse, JSONStringify, ObjectDefineProperty, ObjectFreeze, ObjectPrototypeIsPrototypeOf, Promise,
    PromiseReject, RangeErrorPrototype, ReflectConstruct, SafeMap, SafeWeakMap, SyntaxError,
  } = globalThis.__bootstrap.primordials;
  const { op_call, op_done, op_place } = globalThis.Deno.core.ops;
  const isolet = globalThis.__isolet;
  const { bare, errorText, list, resultText, whenSettled } = isolet;

  const SEARCH = 0x7fffffff;
  const DESCRIBE = 0x7ffffffe;
  const RETURNED = 0;
  const THREW = 1;
  const TOO_DEEP = "the program is nested too deep or too large: split long expressions and chains into statements";

  // A tool that failed. `code` is stable, `message` is for people and models, `retryable` says whether the same call may work later.
  class ToolError extends Error {
    constructor(message, facts) {
      super(message);
      const fields = facts ?? { __proto__: null };
      setFields(this, fields.code ?? "tool_failed", fields.retryable === true, fields.tool);
    }
  }
  ObjectDefineProperty(ToolError.prototype, "name", { __proto__: null, value: "ToolError", writable: true, configurable: true });
  ObjectDefineProperty(globalThis, "ToolError", { __proto__: null, value: ToolError, writable: true, configurable: true });

  function setFields(error, code, retryable, tool) {
    setField(error, "code", code);
    setField(error, "retryable", retryable);
    if (tool !== undefined) setField(error, "tool", tool);
  }

  function setField(error, name, value) {
    ObjectDefineProperty(error, name, { __proto__: null, value, writable: true, configurable: true, enumerable: true });
  }

  // Where the call of a failed tool was made, as `op_place` says it. Here and not in the error: nobody else sees or sets it.
  const places = new SafeWeakMap();

  function placeOf(error) {
    return places.get(error) ?? 0;
  }

  let argumentLengthMax = 0;
  let callsInFlightMax = 1;
  let inFlight = 0;
  let lastCall = 0;
  const waiting = new SafeMap(); // call -> { resolve, reject, path, position }
  let firstQueued = null; // calls beyond those in flight, in order: each knows the one after it
  let lastQueued = null;

  // A `ToolError` of ours: not through its constructor, which asks for the one that it extends, and that can be changed.
  function failed(path, code, message, retryable, position) {
    const error = ReflectConstruct(Error, list(message), ToolError);
    setFields(error, code, retryable, path);
    places.set(error, position);
    const place = position > 0 ? "\n    at " + path + " (main.ts:" + (position >>> 12) + ":" + (position & 4095) + ")" : "";
    ObjectDefineProperty(error, "stack", {
      __proto__: null, value: "ToolError: " + message + place, writable: true, configurable: true,
    });
    return error;
  }

  function send(entry) {
    const call = ++lastCall;
    entry.position = op_call(call, entry.index, entry.position, entry.text);
    entry.text = "";
    waiting.set(call, entry);
    inFlight++;
  }

  function enqueue(entry) {
    entry.position = op_place(); // when it is sent, the program does not run
    if (lastQueued === null) firstQueued = entry;
    else lastQueued.next = entry;
    lastQueued = entry;
  }

  function dequeue() {
    const entry = firstQueued;
    firstQueued = entry.next;
    if (firstQueued === null) lastQueued = null;
    return entry;
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
      const entry = { __proto__: null, index, path, text, resolve, reject, position: 0, next: null };
      if (inFlight < callsInFlightMax) send(entry);
      else enqueue(entry);
    });
  }

  // The host's answer to one call: JSON text of the value, or of `{code, message, retryable}`.
  function settle(id, succeeded, text) {
    const entry = waiting.get(id);
    if (entry === undefined) return;
    waiting.delete(id);
    inFlight--;
    const { path, position, reject, resolve } = entry;
    const value = JSONParse(text);
    if (succeeded) {
      resolve(value);
    } else {
      const { code, message, retryable } = bare(value);
      reject(failed(path, code, message, retryable, position));
    }
    if (firstQueued !== null) send(dequeue());
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

  // Makes the namespaces of one scope, before the guest's program is there: `[{ name, tools: [identifier], aliases }]`, indices are
  // consecutive. `aliases`, if there are any: `[[place in tools, name]]`, what a server calls a tool where that is no identifier.
  function install(manifest) {
    let index = 0;
    for (let place = 0; place < manifest.length; place++) {
      const { name, tools, aliases } = manifest[place];
      const members = { __proto__: null };
      for (let at = 0; at < tools.length; at++) members[tools[at]] = tool(index++, name + "." + tools[at], tools[at]);
      for (let at = 0; aliases !== undefined && at < aliases.length; at++) {
        const value = members[tools[aliases[at][0]]];
        ObjectDefineProperty(members, aliases[at][1], { __proto__: null, value });
      }
      namespace(name, members);
    }
    if (searchIsThere) return; // from the warm-up, which has an empty manifest
    searchIsThere = true;
    // Made as the others are, so that the warm-up has compiled what every tool is made of.
    const searchTools = tool(SEARCH, "tools.search", "search");
    const describeTools = tool(DESCRIBE, "tools.describe", "describe");
    const search = (query, limit) => searchTools({ __proto__: null, query, limit });
    const describe = (...paths) => describeTools({ __proto__: null, paths: bare(paths) });
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

  // The program was not started: V8 did not compile it, all of it or the part that it leaves until it runs.
  function refused(error) {
    const isTooDeep = ObjectPrototypeIsPrototypeOf(RangeErrorPrototype, error); // V8's stack has ended
    threw(isTooDeep ? new SyntaxError(TOO_DEEP) : error);
  }

  // Starts the program: an async function without parameters. It throws nothing itself.
  function start(program) {
    let promise;
    try {
      promise = program();
    } catch (error) {
      refused(error);
      return;
    }
    whenSettled(promise, returned, threw);
  }

  isolet.install = install;
  isolet.beginCalls = beginCalls;
  isolet.settle = settle;
  isolet.refused = refused;
  isolet.start = start;
  isolet.threw = threw;
})(globalThis);
