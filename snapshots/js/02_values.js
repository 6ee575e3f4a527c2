// Values and errors of the guest as flat, bounded text: the only form in which they leave the isolate.
//
// Rust never reads a property of a value that the guest controls (SECURITY.md S-31). Getters and `toJSON` of the guest run
// here, in the guest's own time and under its limits.
"use strict";
((globalThis) => {
  const {
    ArrayIsArray, ArrayPrototypePush, BigIntPrototypeToString, Error, JSONStringify, MapPrototypeForEach,
    ObjectDefineProperty, SetPrototypeForEach, String, StringPrototypeSlice, SymbolPrototypeToString, MapPrototype,
    SetPrototype, BigIntPrototype,
  } = globalThis.__bootstrap.primordials;

  const MESSAGE_LENGTH_MAX = 8192;
  const STACK_LENGTH_MAX = 8192;
  const CAUSES_MAX = 4;

  // JSON has no word for these three. A property of the prototype, so that `JSON.stringify` treats them alike at every
  // depth, in results, arguments and the guest's own texts, and stays on its fast path for all other values.
  function define(prototype, toJSON) {
    ObjectDefineProperty(prototype, "toJSON", { __proto__: null, value: toJSON, writable: true, configurable: true });
  }
  define(BigIntPrototype, { toJSON() { return BigIntPrototypeToString(this); } }.toJSON);
  define(MapPrototype, {
    toJSON() {
      const entries = [];
      MapPrototypeForEach(this, (value, key) => ArrayPrototypePush(entries, [key, value]));
      return entries;
    },
  }.toJSON);
  define(SetPrototype, {
    toJSON() {
      const members = [];
      SetPrototypeForEach(this, (value) => ArrayPrototypePush(members, value));
      return members;
    },
  }.toJSON);

  // The result as JSON text: as `JSON.stringify`, and what that leaves out at the top (undefined, functions, symbols) is null.
  function resultText(value) {
    return JSONStringify(value) ?? "null";
  }

  function shortened(text, lengthMax) {
    if (text.length <= lengthMax) return text;
    return StringPrototypeSlice(text, 0, lengthMax) + "… (" + (text.length - lengthMax) + " more characters)";
  }

  // One property that may be a getter of the guest: its value, or undefined when reading it throws.
  function read(object, key) {
    try {
      return object[key];
    } catch {
      return undefined;
    }
  }

  function textOf(value) {
    try {
      if (typeof value === "symbol") return SymbolPrototypeToString(value);
      if (typeof value === "object" && value !== null) return JSONStringify(value) ?? "undefined";
      return String(value);
    } catch {
      return "a value that cannot be shown";
    }
  }

  // What was thrown, as a plain object of strings: name, message, and where there are any code, stack and causes.
  function errorFacts(thrown, causesLeft) {
    if ((typeof thrown !== "object" && typeof thrown !== "function") || thrown === null) {
      return { __proto__: null, name: "Thrown", message: shortened(textOf(thrown), MESSAGE_LENGTH_MAX) };
    }
    const name = read(thrown, "name");
    const message = read(thrown, "message");
    const code = read(thrown, "code");
    const stack = read(thrown, "stack");
    const facts = { __proto__: null, name: typeof name === "string" ? shortened(name, 256) : "Thrown", message: "" };
    facts.message = typeof message === "string" ? shortened(message, MESSAGE_LENGTH_MAX) : shortened(textOf(thrown), MESSAGE_LENGTH_MAX);
    if (typeof code === "string") facts.code = shortened(code, 256);
    if (typeof stack === "string") facts.stack = shortened(stack, STACK_LENGTH_MAX);
    if (causesLeft > 0) {
      const causes = [];
      const cause = read(thrown, "cause");
      if (cause !== undefined) ArrayPrototypePush(causes, errorFacts(cause, causesLeft - 1));
      const errors = read(thrown, "errors");
      const count = isArray(errors) ? read(errors, "length") : 0;
      for (let place = 0; place < count && causes.length < CAUSES_MAX; place++) {
        ArrayPrototypePush(causes, errorFacts(read(errors, place), 0));
      }
      if (causes.length > 0) facts.causes = causes;
    }
    return facts;
  }

  // `Array.isArray` throws on a revoked proxy.
  function isArray(value) {
    try {
      return ArrayIsArray(value);
    } catch {
      return false;
    }
  }

  function errorText(thrown) {
    try {
      return JSONStringify(errorFacts(thrown, CAUSES_MAX));
    } catch {
      return '{"name":"Thrown","message":"an error that cannot be shown"}';
    }
  }

  // V8 asks for the `stack` of each error here (the guest's `Error.prepareStackTrace` is never asked): `frames` is text of ours.
  function stackText(error, frames) {
    const name = read(error, "name");
    const message = read(error, "message");
    const head = (typeof name === "string" ? name : "Error") + (typeof message === "string" && message !== "" ? ": " + message : "");
    return shortened(head, MESSAGE_LENGTH_MAX) + frames;
  }

  globalThis.__isolet = { __proto__: null, isArray, read, resultText, errorText, shortened, stackText, textOf };
})(globalThis);
