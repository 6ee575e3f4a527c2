// Values and errors of the guest as flat, bounded text: the only form in which they leave the isolate.
//
// Rust never reads a property of a value that the guest controls (SECURITY.md S-31). Getters and `toJSON` of the guest run
// here, in the guest's own time and under its limits.
"use strict";
((globalThis) => {
  const {
    ArrayIsArray, BigIntPrototypeToString, JSONStringify, MapPrototypeForEach, ObjectDefineProperty, SetPrototypeForEach,
    String, StringPrototypeCharCodeAt, StringPrototypeSlice, SymbolPrototypeToString, MapPrototype, SetPrototype,
    BigIntPrototype,
  } = globalThis.__bootstrap.primordials;
  const isolet = globalThis.__isolet;
  const { append, list, published } = isolet;

  const MESSAGE_LENGTH_MAX = 8192;
  const STACK_LENGTH_MAX = 8192;
  const NAME_LENGTH_MAX = 256;
  const CAUSES_MAX = 4;

  // JSON has no word for these three. A property of the prototype, so that `JSON.stringify` treats them alike at every
  // depth, in results, arguments and the guest's own texts, and stays on its fast path for all other values.
  function define(prototype, toJSON) {
    ObjectDefineProperty(prototype, "toJSON", { __proto__: null, value: toJSON, writable: true, configurable: true });
  }
  // `JSON.stringify` asks each member of an array for its `toJSON`: this one has one, and no prototype is asked.
  function pair(key, value) {
    const members = published(list(key, value));
    ObjectDefineProperty(members, "toJSON", { __proto__: null, value: undefined });
    return members;
  }
  define(BigIntPrototype, { __proto__: null, toJSON() { return BigIntPrototypeToString(this); } }.toJSON);
  define(MapPrototype, {
    __proto__: null,
    toJSON() {
      const entries = list();
      MapPrototypeForEach(this, (value, key) => append(entries, pair(key, value)));
      return published(entries);
    },
  }.toJSON);
  define(SetPrototype, {
    __proto__: null,
    toJSON() {
      const members = list();
      SetPrototypeForEach(this, (value) => append(members, value));
      return published(members);
    },
  }.toJSON);

  // The result as JSON text: as `JSON.stringify`, and what that leaves out at the top (undefined, functions, symbols) is null.
  function resultText(value) {
    return JSONStringify(value) ?? "null";
  }

  // A text of at most so many characters. A surrogate pair is kept whole or left out.
  function shortened(text, lengthMax) {
    if (text.length <= lengthMax) return text;
    const last = StringPrototypeCharCodeAt(text, lengthMax - 1);
    const length = last >= 0xd800 && last <= 0xdbff ? lengthMax - 1 : lengthMax;
    return StringPrototypeSlice(text, 0, length) + "… (" + (text.length - length) + " more characters)";
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

  function fact(key, text, lengthMax) {
    return '"' + key + '":' + JSONStringify(shortened(text, lengthMax));
  }

  // What was thrown, as JSON of strings: name, message, and where there are any code, stack and causes.
  function errorFacts(thrown, causesLeft) {
    if ((typeof thrown !== "object" && typeof thrown !== "function") || thrown === null) {
      return '{"name":"Thrown",' + fact("message", textOf(thrown), MESSAGE_LENGTH_MAX) + "}";
    }
    const name = read(thrown, "name");
    const message = read(thrown, "message");
    const code = read(thrown, "code");
    const stack = read(thrown, "stack");
    let facts = "{" + fact("name", typeof name === "string" ? name : "Thrown", NAME_LENGTH_MAX);
    facts += "," + fact("message", typeof message === "string" ? message : textOf(thrown), MESSAGE_LENGTH_MAX);
    if (typeof code === "string") facts += "," + fact("code", code, NAME_LENGTH_MAX);
    if (typeof stack === "string") facts += "," + fact("stack", stack, STACK_LENGTH_MAX);
    const causes = causesLeft > 0 ? causesOf(thrown, causesLeft) : "";
    return facts + (causes === "" ? "}" : ',"causes":[' + causes + "]}");
  }

  function causesOf(thrown, causesLeft) {
    let causes = "";
    let left = CAUSES_MAX;
    const cause = read(thrown, "cause");
    if (cause !== undefined) {
      causes = errorFacts(cause, causesLeft - 1);
      left--;
    }
    const errors = read(thrown, "errors");
    const count = isArray(errors) ? lengthOf(errors) : 0;
    for (let place = 0; place < count && left > 0; place++, left--) {
      causes += (causes === "" ? "" : ",") + errorFacts(read(errors, place), 0);
    }
    return causes;
  }

  // `Array.isArray` throws on a revoked proxy.
  function isArray(value) {
    try {
      return ArrayIsArray(value);
    } catch {
      return false;
    }
  }

  // The length of what may be a proxy for an array: a number, whatever that gives.
  function lengthOf(array) {
    const length = read(array, "length");
    return typeof length === "number" ? length : 0;
  }

  function errorText(thrown) {
    try {
      return errorFacts(thrown, CAUSES_MAX);
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

  isolet.isArray = isArray;
  isolet.lengthOf = lengthOf;
  isolet.read = read;
  isolet.resultText = resultText;
  isolet.errorText = errorText;
  isolet.shortened = shortened;
  isolet.stackText = stackText;
})(globalThis);
