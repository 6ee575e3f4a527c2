// The console: lines go to the host as they are said, with their level. Nothing is printed by the guest process.
"use strict";
((globalThis) => {
  const {
    DatePrototypeToISOString, ErrorPrototype, JSONStringify, MapPrototype, MapPrototypeForEach, MapPrototypeGetSize, Object,
    ObjectDefineProperty, ObjectPrototypeIsPrototypeOf, ReflectOwnKeys, SafeMap, SetPrototype, SetPrototypeForEach,
    SetPrototypeGetSize, String, StringPrototypeCharCodeAt, StringPrototypeRepeat, SymbolPrototypeToString, PromisePrototype,
    DatePrototype, RegExpPrototype, RegExpPrototypeToString,
  } = globalThis.__bootstrap.primordials;
  const { op_say } = globalThis.Deno.core.ops;
  const { bare, isArray, lengthOf, list, read, shortened } = globalThis.__isolet;

  const DEPTH_MAX = 4;
  const ENTRIES_MAX = 100;
  const LINE_LENGTH_MAX = 65536;
  const LEVELS = { __proto__: null, debug: 0, log: 1, info: 2, warn: 3, error: 4 };

  function isA(prototype, value) {
    try {
      return ObjectPrototypeIsPrototypeOf(prototype, value);
    } catch {
      return false;
    }
  }

  // Whether a key needs no quotes: ASCII letters, `_`, `$`, and digits but for the first character.
  function isIdentifier(key) {
    for (let place = 0; place < key.length; place++) {
      const unit = StringPrototypeCharCodeAt(key, place);
      const isLetter = (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || unit === 95 || unit === 36;
      if (!isLetter && (place === 0 || unit < 48 || unit > 57)) return false;
    }
    return key !== "";
  }

  function shown(value, depth, room) {
    switch (typeof value) {
      case "string": return depth === 0 ? value : JSONStringify(shortened(value, 1024));
      case "bigint": return value + "n";
      case "symbol": return SymbolPrototypeToString(value);
      case "function": {
        const name = read(value, "name");
        return typeof name === "string" && name !== "" ? "[function " + shortened(name, 64) + "]" : "[function]";
      }
      case "object": break;
      default: return String(value);
    }
    if (value === null) return "null";
    if (isA(ErrorPrototype, value)) {
      const stack = read(value, "stack");
      if (typeof stack === "string") return stack;
    }
    if (depth >= DEPTH_MAX || room.left <= 0) return isArray(value) ? "[…]" : "{…}";
    try {
      if (isA(DatePrototype, value)) return DatePrototypeToISOString(value);
      if (isA(RegExpPrototype, value)) return RegExpPrototypeToString(value);
      if (isA(PromisePrototype, value)) return "Promise {}";
      if (isA(MapPrototype, value)) return shownMap(value, depth, room);
      if (isA(SetPrototype, value)) return shownSet(value, depth, room);
    } catch {
      // An object that only pretends to be one of these is shown like any other.
    }
    return isArray(value) ? shownArray(value, depth, room) : shownObject(value, depth, room);
  }

  // Takes one entry's room, if there is some.
  function hasRoom(entries, room) {
    return entries < ENTRIES_MAX && room.left-- > 0;
  }

  function shownMap(map, depth, room) {
    let parts = "";
    let entries = 0;
    MapPrototypeForEach(map, (value, key) => {
      if (!hasRoom(entries, room)) return;
      parts += (entries++ === 0 ? "" : ", ") + shown(key, depth + 1, room) + " => " + shown(value, depth + 1, room);
    });
    return "Map(" + MapPrototypeGetSize(map) + ") { " + parts + " }";
  }

  function shownSet(set, depth, room) {
    let parts = "";
    let entries = 0;
    SetPrototypeForEach(set, (value) => {
      if (hasRoom(entries, room)) parts += (entries++ === 0 ? "" : ", ") + shown(value, depth + 1, room);
    });
    return "Set(" + SetPrototypeGetSize(set) + ") { " + parts + " }";
  }

  function shownArray(array, depth, room) {
    const length = lengthOf(array);
    let parts = "";
    let place = 0;
    while (place < length && hasRoom(place, room)) {
      parts += (place === 0 ? "" : ", ") + shown(read(array, place), depth + 1, room);
      place++;
    }
    if (length > place) parts += (place === 0 ? "… " : ", … ") + (length - place) + " more";
    return "[" + parts + "]";
  }

  function shownObject(object, depth, room) {
    let keys;
    try {
      keys = bare(ReflectOwnKeys(object));
    } catch {
      return "{…}";
    }
    let parts = "";
    for (let place = 0; place < keys.length && hasRoom(place, room); place++) {
      const key = keys[place];
      if (typeof key === "symbol") continue;
      const label = isIdentifier(key) ? key : JSONStringify(shortened(key, 256));
      parts += (parts === "" ? "" : ", ") + label + ": " + shown(read(object, key), depth + 1, room);
    }
    if (keys.length > ENTRIES_MAX) parts += (parts === "" ? "… " : ", … ") + (keys.length - ENTRIES_MAX) + " more";
    return parts === "" ? "{}" : "{ " + parts + " }";
  }

  // What a line shows of the values in a list.
  function lineOf(values) {
    const room = { __proto__: null, left: 1000 };
    let line = "";
    for (let place = 0; place < values.length; place++) {
      if (place > 0) line += " ";
      try {
        line += shown(values[place], 0, room);
      } catch {
        line += "a value that cannot be shown";
      }
    }
    return line;
  }

  function say(level, line) {
    op_say(level, shortened(indentation + line, LINE_LENGTH_MAX));
  }

  let indentation = "";
  const counts = new SafeMap();
  const methods = {
    __proto__: null,
    debug(...values) { say(LEVELS.debug, lineOf(values)); },
    log(...values) { say(LEVELS.log, lineOf(values)); },
    info(...values) { say(LEVELS.info, lineOf(values)); },
    warn(...values) { say(LEVELS.warn, lineOf(values)); },
    error(...values) { say(LEVELS.error, lineOf(values)); },
    trace(...values) { say(LEVELS.debug, lineOf(values)); },
    dir(value) { say(LEVELS.log, lineOf(list(value))); },
    table(value) { say(LEVELS.log, lineOf(list(value))); },
    assert(condition, ...values) {
      if (!condition) say(LEVELS.error, lineOf(values) + (values.length > 0 ? " (assertion failed)" : "(assertion failed)"));
    },
    count(label = "default") {
      const key = String(label);
      const count = (counts.get(key) ?? 0) + 1;
      if (counts.size < 1000) counts.set(key, count);
      say(LEVELS.log, key + ": " + count);
    },
    group(...values) {
      if (values.length > 0) say(LEVELS.log, lineOf(values));
      if (indentation.length < 64) indentation += "  ";
    },
    groupEnd() { indentation = StringPrototypeRepeat(" ", indentation.length > 2 ? indentation.length - 2 : 0); },
    // Time stands still while a program computes, so these have nothing to measure.
    time() {},
    timeEnd() {},
    timeLog() {},
  };
  const console = new Object();
  for (const name of ReflectOwnKeys(methods)) {
    ObjectDefineProperty(console, name, { __proto__: null, value: methods[name], writable: true, configurable: true, enumerable: true });
  }
  ObjectDefineProperty(globalThis, "console", { __proto__: null, value: console, writable: true, configurable: true });

  // A promise that was rejected and never handled: said, and never the end of the run.
  function unhandled(error) {
    say(LEVELS.error, lineOf(list("unhandled rejection:", error)));
  }
  globalThis.__isolet.unhandled = unhandled;
})(globalThis);
