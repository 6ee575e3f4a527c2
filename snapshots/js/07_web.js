// What programs written by models expect of a JavaScript environment beyond ECMAScript, as far as it needs no door to the outside.
"use strict";
((globalThis) => {
  const {
    Error, NumberPrototypeToString, Object, ObjectDefineProperty, PromiseResolve, RangeError, ReflectApply, SafeMap,
    String, StringPrototypePadStart, StringPrototypeSlice, TypeError, TypedArrayPrototypeGetLength,
    TypedArrayPrototypeSet, TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeGetBuffer, Uint8Array,
    ArrayBufferPrototype, ArrayBufferPrototypeGetByteLength, ArrayBufferIsView, DatePrototypeGetTime, MapPrototypeForEach,
    SetPrototypeForEach, RegExp, RegExpPrototypeGetSource, RegExpPrototypeGetFlags, ObjectKeys, ArrayIsArray, Map, Set,
    MapPrototypeSet, SetPrototypeAdd, DatePrototype, MapPrototype, SetPrototype, RegExpPrototype, ErrorPrototype,
    ObjectPrototypeIsPrototypeOf,
  } = globalThis.__bootstrap.primordials;
  const {
    addTimer, append, bare, bytesOf, FrozenDate, list, provide, published, randomWord, threw, whenSettled,
  } = globalThis.__isolet;

  // --- microtasks ---

  const settled = PromiseResolve(undefined);
  provide("queueMicrotask", {
    __proto__: null,
    queueMicrotask(callback) {
      if (typeof callback !== "function") throw new TypeError("a microtask needs a function to call");
      // An exception ends the program, as that of a timer does.
      whenSettled(settled, () => {
        try {
          callback();
        } catch (error) {
          threw(error);
        }
      });
    },
  }.queueMicrotask);

  // --- crypto: as random as `Math.random`, which the host seeds with 128 bits for each run; not for keys ---

  function hexadecimal(word) {
    return StringPrototypePadStart(NumberPrototypeToString(word, 16), 8, "0");
  }
  const crypto = new Object();
  function provideCrypto(name, value) {
    ObjectDefineProperty(crypto, name, { __proto__: null, value, writable: true, configurable: true, enumerable: true });
  }
  provideCrypto("randomUUID", {
    __proto__: null,
    randomUUID() {
      const first = hexadecimal(randomWord());
      const second = hexadecimal(((randomWord() & 0xffff0fff) | 0x4000) >>> 0);
      const third = hexadecimal(((randomWord() & 0x3fffffff) | 0x80000000) >>> 0);
      const fourth = hexadecimal(randomWord());
      return first + "-" + StringPrototypeSlice(second, 0, 4) + "-" + StringPrototypeSlice(second, 4) + "-" + StringPrototypeSlice(third, 0, 4) + "-" + StringPrototypeSlice(third, 4) + fourth;
    },
  }.randomUUID);
  provideCrypto("getRandomValues", {
    __proto__: null,
    getRandomValues(array) {
      if (!ArrayBufferIsView(array)) throw new TypeError("random bytes need a typed array to be in");
      const bytes = bytesOf(array);
      const length = TypedArrayPrototypeGetLength(bytes);
      if (length > 65536) throw new RangeError("at most 65536 random bytes at a time");
      for (let place = 0; place < length; place++) bytes[place] = randomWord() >>> 24;
      return array;
    },
  }.getRandomValues);
  provide("crypto", crypto);

  // --- structuredClone of plain data ---

  function isA(prototype, value) {
    return ObjectPrototypeIsPrototypeOf(prototype, value);
  }

  // A buffer of its own with the same bytes.
  function copyOf(bytes) {
    const copy = new Uint8Array(TypedArrayPrototypeGetLength(bytes));
    TypedArrayPrototypeSet(copy, bytes);
    return TypedArrayPrototypeGetBuffer(copy);
  }

  const VIEWS = { __proto__: null, DataView: globalThis.DataView };
  for (const name of ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"]) {
    VIEWS[name] = globalThis[name];
  }

  function cloned(value, seen) {
    if (typeof value === "function" || typeof value === "symbol") throw new TypeError("a " + typeof value + " cannot be cloned");
    if (typeof value !== "object" || value === null) return value;
    const known = seen.get(value);
    if (known !== undefined) return known;
    const keep = (copy) => {
      seen.set(value, copy);
      return copy;
    };
    if (isA(DatePrototype, value)) return keep(new FrozenDate(DatePrototypeGetTime(value)));
    if (isA(RegExpPrototype, value)) return keep(new RegExp(RegExpPrototypeGetSource(value), RegExpPrototypeGetFlags(value)));
    if (isA(ArrayBufferPrototype, value)) return keep(copyOf(new Uint8Array(value, 0, ArrayBufferPrototypeGetByteLength(value))));
    if (ArrayBufferIsView(value)) {
      const kind = TypedArrayPrototypeGetSymbolToStringTag(value) ?? "DataView";
      const View = VIEWS[kind];
      if (View === undefined) throw new TypeError("a " + kind + " cannot be cloned"); // V8 has `Float16Array` in no snapshot
      return keep(new View(copyOf(bytesOf(value))));
    }
    if (isA(MapPrototype, value)) {
      const copy = keep(new Map());
      MapPrototypeForEach(value, (entry, key) => MapPrototypeSet(copy, cloned(key, seen), cloned(entry, seen)));
      return copy;
    }
    if (isA(SetPrototype, value)) {
      const copy = keep(new Set());
      SetPrototypeForEach(value, (entry) => SetPrototypeAdd(copy, cloned(entry, seen)));
      return copy;
    }
    if (isA(ErrorPrototype, value)) {
      const copy = keep(new Error(value.message));
      ObjectDefineProperty(copy, "name", { __proto__: null, value: String(value.name), writable: true, configurable: true });
      return copy;
    }
    const copy = keep(ArrayIsArray(value) ? published(list()) : new Object());
    if (ArrayIsArray(value)) copy.length = value.length;
    const keys = bare(ObjectKeys(value));
    for (let place = 0; place < keys.length; place++) {
      ObjectDefineProperty(copy, keys[place], { __proto__: null, value: cloned(value[keys[place]], seen), writable: true, configurable: true, enumerable: true });
    }
    return copy;
  }
  provide("structuredClone", {
    __proto__: null,
    structuredClone(value) { return cloned(value, new SafeMap()); },
  }.structuredClone);

  // --- AbortController ---

  const MAKE = { __proto__: null };
  let fire;
  class AbortSignal {
    #aborted = false;
    #reason = undefined;
    #listeners = list();
    onabort = null;
    static {
      fire = (signal, reason) => {
        if (signal.#aborted) return;
        signal.#aborted = true;
        signal.#reason = reason;
        const event = { __proto__: null, type: "abort", target: signal };
        const { onabort } = signal;
        if (typeof onabort === "function") ReflectApply(onabort, signal, list(event));
        const listeners = signal.#listeners;
        const { length } = listeners; // not those that a listener adds
        for (let place = 0; place < length; place++) ReflectApply(listeners[place], signal, list(event));
      };
    }
    constructor(key) {
      if (key !== MAKE) throw new TypeError("an AbortSignal comes from an AbortController");
    }
    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    throwIfAborted() { if (this.#aborted) throw this.#reason; }
    addEventListener(type, listener) {
      if (type === "abort" && typeof listener === "function") append(this.#listeners, listener);
    }
    removeEventListener(type, listener) {
      if (type !== "abort") return;
      const kept = list();
      const listeners = this.#listeners;
      for (let place = 0; place < listeners.length; place++) if (listeners[place] !== listener) append(kept, listeners[place]);
      this.#listeners = kept;
    }
    static abort(reason = abortError("this operation was aborted", "AbortError")) {
      const signal = new AbortSignal(MAKE);
      fire(signal, reason);
      return signal;
    }
    static timeout(milliseconds) {
      const signal = new AbortSignal(MAKE);
      addTimer(() => fire(signal, abortError("the operation timed out", "TimeoutError")), milliseconds, false, list());
      return signal;
    }
  }

  function abortError(message, name) {
    const error = new Error(message);
    ObjectDefineProperty(error, "name", { __proto__: null, value: name, writable: true, configurable: true });
    return error;
  }
  class AbortController {
    #signal = new AbortSignal(MAKE);
    get signal() { return this.#signal; }
    abort(reason = abortError("this operation was aborted", "AbortError")) { fire(this.#signal, reason); }
  }
  provide("AbortSignal", AbortSignal);
  provide("AbortController", AbortController);
})(globalThis);
