// The console: lines go to the host as they are said, with their level. Nothing is printed by the guest process.
"use strict";
((globalThis) => {
  const {
    ArrayPrototypeJoin, ArrayPrototypePush, DatePrototypeToISOString, ErrorPrototype, JSONStringify, MapPrototype,
    MapPrototypeForEach, MapPrototypeGetSize, ObjectDefineProperty, ObjectPrototypeIsPrototypeOf, ReflectOwnKeys,
    RegExpPrototypeTest, SafeMap, SafeRegExp, SetPrototype, SetPrototypeForEach, SetPrototypeGetSize, String,
    StringPrototypeRepeat, SymbolPrototypeToString, PromisePrototype, DatePrototype, RegExpPrototype,
    RegExpPrototypeToString,
  } = globalThis.__bootstrap.primordials;
  const { op_say } = globalThis.Deno.core.ops;
  const { isArray, read, shortened } = globalThis.__isolet;

  const DEPTH_MAX = 4;
  const ENTRIES_MAX = 100;
  const LINE_LENGTH_MAX = 65536;
  const IDENTIFIER = new SafeRegExp(/^[A-Za-z_$][A-Za-z0-9_$]*$/);
  const LEVELS = { __proto__: null, debug: 0, log: 1, info: 2, warn: 3, error: 4 };

  function isA(prototype, value) {
    try {
      return ObjectPrototypeIsPrototypeOf(prototype, value);
    } catch {
      return false;
    }
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

  function shownMap(map, depth, room) {
    const parts = [];
    MapPrototypeForEach(map, (value, key) => {
      if (parts.length < ENTRIES_MAX && room.left-- > 0) ArrayPrototypePush(parts, shown(key, depth + 1, room) + " => " + shown(value, depth + 1, room));
    });
    return "Map(" + MapPrototypeGetSize(map) + ") { " + ArrayPrototypeJoin(parts, ", ") + " }";
  }

  function shownSet(set, depth, room) {
    const parts = [];
    SetPrototypeForEach(set, (value) => {
      if (parts.length < ENTRIES_MAX && room.left-- > 0) ArrayPrototypePush(parts, shown(value, depth + 1, room));
    });
    return "Set(" + SetPrototypeGetSize(set) + ") { " + ArrayPrototypeJoin(parts, ", ") + " }";
  }

  function shownArray(array, depth, room) {
    const length = read(array, "length");
    const parts = [];
    for (let place = 0; place < length && place < ENTRIES_MAX && room.left-- > 0; place++) {
      ArrayPrototypePush(parts, shown(read(array, place), depth + 1, room));
    }
    if (length > parts.length) ArrayPrototypePush(parts, "… " + (length - parts.length) + " more");
    return "[" + ArrayPrototypeJoin(parts, ", ") + "]";
  }

  function shownObject(object, depth, room) {
    let keys;
    try {
      keys = ReflectOwnKeys(object);
    } catch {
      return "{…}";
    }
    const parts = [];
    for (let place = 0; place < keys.length && place < ENTRIES_MAX && room.left-- > 0; place++) {
      const key = keys[place];
      if (typeof key === "symbol") continue;
      const label = RegExpPrototypeTest(IDENTIFIER, key) ? key : JSONStringify(shortened(key, 256));
      ArrayPrototypePush(parts, label + ": " + shown(read(object, key), depth + 1, room));
    }
    if (keys.length > ENTRIES_MAX) ArrayPrototypePush(parts, "… " + (keys.length - ENTRIES_MAX) + " more");
    return parts.length === 0 ? "{}" : "{ " + ArrayPrototypeJoin(parts, ", ") + " }";
  }

  function say(level, values) {
    const room = { __proto__: null, left: 1000 };
    const parts = [];
    for (let place = 0; place < values.length; place++) {
      let part;
      try {
        part = shown(values[place], 0, room);
      } catch {
        part = "a value that cannot be shown";
      }
      ArrayPrototypePush(parts, part);
    }
    op_say(level, shortened(indentation + ArrayPrototypeJoin(parts, " "), LINE_LENGTH_MAX));
  }

  let indentation = "";
  const counts = new SafeMap();
  const methods = {
    debug(...values) { say(LEVELS.debug, values); },
    log(...values) { say(LEVELS.log, values); },
    info(...values) { say(LEVELS.info, values); },
    warn(...values) { say(LEVELS.warn, values); },
    error(...values) { say(LEVELS.error, values); },
    trace(...values) { say(LEVELS.debug, values); },
    dir(value) { say(LEVELS.log, [value]); },
    table(value) { say(LEVELS.log, [value]); },
    assert(condition, ...values) {
      if (condition) return;
      ArrayPrototypePush(values, "(assertion failed)");
      say(LEVELS.error, values);
    },
    count(label = "default") {
      const key = String(label);
      const count = (counts.get(key) ?? 0) + 1;
      if (counts.size < 1000) counts.set(key, count);
      say(LEVELS.log, [key + ": " + count]);
    },
    group(...values) {
      if (values.length > 0) say(LEVELS.log, values);
      if (indentation.length < 64) indentation += "  ";
    },
    groupEnd() { indentation = StringPrototypeRepeat(" ", indentation.length > 2 ? indentation.length - 2 : 0); },
    // Time stands still while a program computes, so these have nothing to measure.
    time() {},
    timeEnd() {},
    timeLog() {},
  };
  const console = {};
  for (const name of ReflectOwnKeys(methods)) {
    ObjectDefineProperty(console, name, { __proto__: null, value: methods[name], writable: true, configurable: true, enumerable: true });
  }
  ObjectDefineProperty(globalThis, "console", { __proto__: null, value: console, writable: true, configurable: true });

  globalThis.__isolet.say = say;
  globalThis.__isolet.levels = LEVELS;
})(globalThis);
