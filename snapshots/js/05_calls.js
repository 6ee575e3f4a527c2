// The only door out of the isolate: `github.create_issue(arguments)`.
//
// A call is one synchronous op and a promise kept here until the loop settles it. Calls beyond those in flight wait here.
// Everything that the guest could replace later (`JSON.parse`) was taken before it ran; none of it is a boundary: the host
// decides on each call by itself (DESIGN.md, decision 4).
"use strict";
((globalThis) => {
  const {
    Error, JSONParse, JSONStringify, ObjectDefineProperty, ObjectFreeze, ObjectPrototypeIsPrototypeOf, Promise,
    PromisePrototype, PromiseReject, Proxy, RangeErrorPrototype, ReflectApply, ReflectConstruct, SafeMap, SafeWeakMap, SyntaxError, TypeError,
  } = globalThis.__bootstrap.primordials;
  const { op_call, op_done, op_note, op_position } = globalThis.Deno.core.ops;
  const isolet = globalThis.__isolet;
  const { append, bare, define, errorText, list, losses, read, shortened, whenSettled } = isolet;

  const SEARCH = 0x7fffffff;
  const DESCRIBE = 0x7ffffffe;
  const RESULT = 0x7ffffffd;
  const READ = 0x7ffffffc;
  const RETURNED = 0;
  const THREW = 1;
  const WAITS = 2;
  const NOTHING = 3;
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

  // Where the call of a failed tool was made, as `op_position` says it. Here and not in the error: nobody else sees or sets it.
  const places = new SafeWeakMap();

  function placeOf(error) {
    return places.get(error) ?? 0;
  }

  let argumentLengthMax = 0;
  let callsInFlightMax = 1;
  let keepsContent = false; // whether each answer has the content blocks of the reply beside its value
  // Of the promises of calls, where content is kept: the blocks, null as long as there is no answer.
  const contents = new SafeWeakMap();
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
    entry.position = op_position(); // when it is sent, the program does not run
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
    let entry;
    const promise = new Promise((resolve, reject) => {
      entry = { __proto__: null, index, path, text, resolve, reject, position: 0, next: null, promise: null };
      if (inFlight < callsInFlightMax) send(entry);
      else enqueue(entry);
      if (hasReturned) noteUnawaited(entry);
    });
    if (keepsContent) {
      entry.promise = promise;
      contents.set(promise, null);
    }
    return promise;
  }

  // All content blocks of the reply to a call, of which `promise` is the promise.
  function content(promise) {
    if (!keepsContent) {
      return PromiseReject(new TypeError("`tools.content` keeps nothing here: write `tools.content(...)` by that name, so that it is known before the calls are made"));
    }
    if (typeof promise !== "object" || promise === null || contents.get(promise) === undefined) {
      return PromiseReject(new TypeError("`tools.content` takes the promise of a call, not its value: `const call = server.tool({...}); const blocks = await tools.content(call);`, with `await call` for the value"));
    }
    return new Promise((resolve, reject) => whenSettled(promise, () => resolve(contents.get(promise)), reject));
  }

  // The host's answer to one call: JSON text of the value (where content is kept, of `[value, blocks]`), or of `{code, message, retryable}`.
  function settle(id, succeeded, text) {
    const entry = waiting.get(id);
    if (entry === undefined) return;
    waiting.delete(id);
    inFlight--;
    const { path, position, promise, reject, resolve } = entry;
    const value = JSONParse(text);
    if (succeeded && keepsContent) {
      const { 0: plain, 1: blocks } = bare(value);
      contents.set(promise, blocks);
      resolve(plain);
    } else if (succeeded) {
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
    ObjectDefineProperty(globalThis, name, { __proto__: null, value: members, enumerable: true });
  }

  // The namespace of a server whose tools nobody knows before its user has authorized it: any name in it is its only tool, which asks the
  // user. It is no thenable, and JSON has no words for it.
  function open(index, name, members) {
    return new Proxy(members, {
      __proto__: null,
      get(_, member) {
        if (typeof member !== "string" || member === "then" || member === "toJSON") return undefined;
        return members[member] ?? tool(index, name + "." + member, member);
      },
    });
  }

  let searchIsThere = false;

  // Makes the namespaces of one scope, before the guest's program is there: `[{ name, tools: [identifier], aliases }]`, indices are
  // consecutive. `aliases`, if there are any: `[[place in tools, name]]`, what a server calls a tool where that is no identifier;
  // `is_open`: any other name is its first tool.
  function install(manifest) {
    let index = 0;
    for (let place = 0; place < manifest.length; place++) {
      const { name, tools, aliases, is_open: isOpen } = manifest[place];
      const members = { __proto__: null };
      for (let at = 0; at < tools.length; at++) members[tools[at]] = tool(index++, name + "." + tools[at], tools[at]);
      for (let at = 0; aliases !== undefined && at < aliases.length; at++) {
        const value = members[tools[aliases[at][0]]];
        ObjectDefineProperty(members, aliases[at][1], { __proto__: null, value });
      }
      ObjectFreeze(members);
      namespace(name, isOpen === true ? open(index - tools.length, name, members) : members);
    }
    if (searchIsThere) return; // from the warm-up, which has an empty manifest
    searchIsThere = true;
    // Made as the others are, so that the warm-up has compiled what every tool is made of.
    const searchTools = tool(SEARCH, "tools.search", "search");
    const describeTools = tool(DESCRIBE, "tools.describe", "describe");
    const keptResult = tool(RESULT, "tools.result", "result");
    const resource = tool(READ, "tools.read", "read");
    const search = (query, limit) => searchTools({ __proto__: null, query, limit });
    const describe = (...paths) => describeTools({ __proto__: null, paths: bare(paths) });
    const readResult = (handle, from, to) => keptResult({ __proto__: null, handle, from, to });
    // An address, or a link as replies have them.
    const readResource = (link) => resource({ __proto__: null, uri: typeof link === "object" && link !== null ? read(link, "uri") : link });
    namespace("tools", ObjectFreeze({
      __proto__: null, search: ObjectFreeze(search), describe: ObjectFreeze(describe), content: ObjectFreeze(content),
      result: ObjectFreeze(readResult), read: ObjectFreeze(readResource),
    }));
  }

  // Sets the limits of one run, and forgets the warm-up's calls.
  function beginCalls(argumentLength, callsInFlight, withContent) {
    argumentLengthMax = argumentLength;
    callsInFlightMax = callsInFlight;
    keepsContent = withContent;
    lastCall = 0;
    ended = false;
    hasReturned = false;
    isOver = false;
    unawaited = 0;
    unawaitedText = "";
  }

  let ended = false;

  // --- The value of a program, which is made when its calls are answered ---

  let hasReturned = false;
  let isOver = false; // nothing is waited for any more
  let result;
  let unawaited = 0;
  let unawaitedText = "";
  const UNAWAITED_SHOWN_MAX = 5;
  // Of promises inside the value, in those that have settled: their values.
  const settledValues = new SafeWeakMap();
  let unsettled = null; // a list while the value is made
  let pending = 0;

  function noteUnawaited(entry) {
    unawaited++;
    if (unawaited > UNAWAITED_SHOWN_MAX) return;
    const line = entry.position > 0 ? " at line " + (entry.position >>> 12) : "";
    unawaitedText += (unawaited === 1 ? "" : ", ") + entry.path + line;
  }

  // `JSON.stringify` asks it of each promise that it meets: only of native ones a value is known, or waited for.
  define(PromisePrototype, {
    __proto__: null,
    toJSON() {
      if (unsettled === null || typeof this !== "object" || this === null) return this;
      const known = settledValues.get(this);
      if (known === undefined) {
        append(unsettled, this);
        return null;
      }
      const { value } = known;
      const toJSON = typeof value === "object" && value !== null ? read(value, "toJSON") : undefined;
      return typeof toJSON === "function" ? ReflectApply(toJSON, value, list("")) : value;
    },
  }.toJSON);

  // Waits for a promise inside the value. What only looks like a promise is none.
  function waitFor(promise) {
    try {
      whenSettled(promise, (value) => {
        settledValues.set(promise, { __proto__: null, value });
        pending--;
        if (pending > 0) return;
        if (inFlight > 0 && !isOver) op_done(WAITS, "", undefined, 0);
        else finish(isOver);
      }, threw);
      pending++;
    } catch {
      settledValues.set(promise, { __proto__: null, value: { __proto__: null } });
    }
  }

  // Makes the value and says it. `over`: the time is over in which calls were waited for.
  function finish(over) {
    if (ended) return;
    isOver = over;
    let text;
    const met = list();
    unsettled = met;
    try {
      text = JSONStringify(result);
    } catch (error) {
      unsettled = null;
      threw(error);
      return;
    }
    unsettled = null;
    if (ended) return;
    if (met.length > 0) {
      unawaited = 0; // some of them are awaited here
      for (let place = 0; place < met.length; place++) waitFor(met[place]);
      if (pending === 0) finish(over);
      return;
    }
    say(text);
  }

  function say(text) {
    const found = losses(result, text ?? "");
    if (ended) return;
    ended = true;
    if (unawaited > 0) {
      const more = unawaited > UNAWAITED_SHOWN_MAX ? ", and " + (unawaited - UNAWAITED_SHOWN_MAX) + " more" : "";
      const cutOff = isOver && inFlight > 0 ? "; " + inFlight + " of them had no answer in time and were cut off" : "";
      op_note(unawaited + (unawaited === 1 ? " call was" : " calls were") + " not awaited: " + shortened(unawaitedText, 500) + more + cutOff + ": write `await` before those whose values you need");
    }
    for (let place = 0; place < found.length; place++) op_note(found[place]);
    if (text !== undefined) {
      op_done(RETURNED, text, undefined, 0);
    } else if (result === undefined) {
      op_done(NOTHING, "null", undefined, 0);
    } else {
      const name = typeof result === "function" ? read(result, "name") : "";
      const shown = typeof name === "string" ? shortened(name, 64) : "";
      const named = shown === "" ? "" : " `" + shown + "`";
      const written = shown === "" ? "" : ": write `return await " + shown + "()` instead of `return " + shown + "`";
      op_note("the program returned nothing: its value is a " + typeof result + named + ", which JSON has no word for" + (typeof result === "function" ? ": call it" + written : ""));
      op_done(RETURNED, "null", undefined, 0);
    }
  }

  function threw(error) {
    if (ended) return;
    ended = true;
    op_done(THREW, errorText(error), error, placeOf(error));
  }

  function returned(value) {
    if (ended) return;
    result = value;
    if (inFlight === 0) {
      finish(false);
      return;
    }
    hasReturned = true;
    waiting.forEach((entry) => noteUnawaited(entry));
    for (let entry = firstQueued; entry !== null; entry = entry.next) noteUnawaited(entry);
    op_done(WAITS, "", undefined, 0);
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
  isolet.finish = finish;
  isolet.settle = settle;
  isolet.refused = refused;
  isolet.start = start;
  isolet.threw = threw;
})(globalThis);
