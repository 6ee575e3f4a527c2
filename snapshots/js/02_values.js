// Values and errors of the guest as flat, bounded text: the only form in which they leave the isolate.
//
// Rust never reads a property of a value that the guest controls (SECURITY.md S-31). Getters and `toJSON` of the guest run
// here, in the guest's own time and under its limits.
"use strict";
((globalThis) => {
  const {
    ArrayBufferIsView, ArrayIsArray, BigIntPrototype, BigIntPrototypeToString, DatePrototype, DatePrototypeGetTime,
    ErrorPrototype, JSONStringify, MapPrototype, MapPrototypeForEach, NumberIsFinite, ObjectDefineProperty, ObjectKeys,
    ObjectPrototype, ObjectPrototypeIsPrototypeOf, ReflectGetOwnPropertyDescriptor, ReflectGetPrototypeOf, ReflectOwnKeys,
    SetPrototype, SetPrototypeForEach, String, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice,
    SymbolPrototypeToString, TypedArrayPrototypeGetSymbolToStringTag,
  } = globalThis.__bootstrap.primordials;
  const isolet = globalThis.__isolet;
  const { append, bare, list, published } = isolet;

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

  // An error keeps what tells it apart, at any depth: its name, its message, and what it has of its own.
  define(ErrorPrototype, {
    __proto__: null,
    toJSON() {
      const facts = { __proto__: null };
      setMember(facts, "name", read(this, "name"));
      setMember(facts, "message", read(this, "message"));
      const keys = bare(ObjectKeys(this));
      for (let place = 0; place < keys.length; place++) setMember(facts, keys[place], read(this, keys[place]));
      return facts;
    },
  }.toJSON);
  function setMember(object, key, value) {
    ObjectDefineProperty(object, key, { __proto__: null, value, writable: true, configurable: true, enumerable: true });
  }

  // What JSON leaves out of a value or makes null of: sentences, the first few. It looks where the text says that there may be something.
  const LOSSES_MAX = 4;
  const LOOKED_AT_MAX = 500;
  const LOOKED_DEPTH_MAX = 6;
  function losses(value, text) {
    const search = { __proto__: null, found: list(), left: LOOKED_AT_MAX };
    if (typeof value === "number" && !NumberIsFinite(value)) {
      append(search.found, "the value is " + String(value) + ", which JSON has no word for");
    } else if (typeof value === "object" && value !== null) {
      const isSuspect = StringPrototypeIndexOf(text, "null") >= 0 || StringPrototypeIndexOf(text, "{}") >= 0;
      try {
        look(value, "the value", isSuspect ? LOOKED_DEPTH_MAX : 1, search);
      } catch {
        // A proxy of the program's: nothing is said of it.
      }
    }
    return search.found;
  }

  function look(value, where, depth, search) {
    if (ArrayBufferIsView(value)) {
      const kind = TypedArrayPrototypeGetSymbolToStringTag(value) ?? "DataView";
      append(search.found, where + " is a " + kind + ", a typed array, of which JSON makes an object: return `Array.from(...)` of it, or a text");
      return;
    }
    if (isA(MapPrototype, value) || isA(SetPrototype, value) || isA(ErrorPrototype, value)) return;
    if (isA(DatePrototype, value)) {
      if (depth > 0 && isInvalidDate(value)) append(search.found, where + " is an invalid date, of which JSON makes null");
      return;
    }
    if (typeof read(value, "toJSON") === "function") return;
    const keys = bare(ReflectOwnKeys(value));
    const isList = isArray(value);
    if (where === "the value" && !isList && isOfFunctions(value, keys)) {
      append(search.found, "the value is an object of functions, which JSON leaves out: call one, or return `Object.keys(...)` of it for their names");
      return;
    }
    let shown = 0;
    for (let place = 0; place < keys.length; place++) {
      if (search.left-- <= 0 || search.found.length >= LOSSES_MAX) return;
      const key = keys[place];
      if (typeof key === "symbol") continue;
      const member = ReflectGetOwnPropertyDescriptor(value, key);
      if (member === undefined || bare(member).enumerable !== true) continue;
      shown++;
      lookAt(member.value, isList ? where : "`" + shortened(key, 64) + "`", depth, search);
    }
    if (shown > 0 || isList) return;
    const prototype = ReflectGetPrototypeOf(value);
    if (prototype === null || prototype === ObjectPrototype) return;
    if (typeof read(value, "next") === "function") {
      append(search.found, where + " is an iterator, of which JSON makes {}: return `Array.from(...)` of it");
      return;
    }
    const made = read(value, "constructor");
    const name = typeof made === "function" ? read(made, "name") : undefined;
    const kind = typeof name === "string" && name !== "" ? shortened(name, 64) : "class";
    append(search.found, where + " is a " + kind + " without members of its own, so that JSON makes {} of it: private members and accessors (getters) of its class are left out; return " + plainObject(prototype));
  }

  // Whether all members of an object are functions, as those of a namespace.
  function isOfFunctions(value, keys) {
    for (let place = 0; place < keys.length; place++) {
      if (place >= LOOKED_AT_MAX) return true;
      const member = ReflectGetOwnPropertyDescriptor(value, keys[place]);
      if (member === undefined || typeof bare(member).value !== "function") return false;
    }
    return keys.length > 0;
  }

  // What to return in the place of an object whose prototype has accessors.
  const ACCESSORS_SHOWN_MAX = 6;
  function plainObject(prototype) {
    const keys = bare(ReflectOwnKeys(prototype));
    let members = "";
    let shown = 0;
    for (let place = 0; place < keys.length && shown < ACCESSORS_SHOWN_MAX; place++) {
      const key = keys[place];
      if (typeof key === "symbol" || key === "__proto__" || !isName(key)) continue;
      const member = ReflectGetOwnPropertyDescriptor(prototype, key);
      if (member === undefined || bare(member).get === undefined) continue;
      members += (shown++ === 0 ? "" : ", ") + key + ": (...)." + key;
    }
    return shown === 0 ? "a plain object" : "`{ " + members + " }` of it, a plain object";
  }

  // Whether a text can stand after a dot.
  function isName(text) {
    if (text === "" || text.length > 40) return false;
    for (let place = 0; place < text.length; place++) {
      const code = StringPrototypeCharCodeAt(text, place);
      const isLetter = code >= 97 && code <= 122 || code >= 65 && code <= 90 || code === 95 || code === 36;
      if (!isLetter && (place === 0 || code < 48 || code > 57)) return false;
    }
    return true;
  }

  function lookAt(value, where, depth, search) {
    if (typeof value === "number") {
      if (!NumberIsFinite(value)) append(search.found, where + " is " + String(value) + ", of which JSON makes null");
    } else if (typeof value === "function") {
      append(search.found, where + " is a function, which JSON leaves out: call it");
    } else if (typeof value === "object" && value !== null && depth > 1) {
      look(value, where, depth - 1, search);
    } else if (typeof value === "object" && value !== null && ArrayBufferIsView(value)) {
      look(value, where, 0, search);
    }
  }

  function isInvalidDate(value) {
    const time = DatePrototypeGetTime(value);
    return time !== time;
  }

  function isA(prototype, value) {
    try {
      return ObjectPrototypeIsPrototypeOf(prototype, value);
    } catch {
      return false;
    }
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
  isolet.define = define;
  isolet.losses = losses;
  isolet.errorText = errorText;
  isolet.shortened = shortened;
  isolet.stackText = stackText;
})(globalThis);
