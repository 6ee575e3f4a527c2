// What programs written by models expect of a JavaScript environment beyond ECMAScript, as far as it needs no door to the outside.
"use strict";
((globalThis) => {
  const {
    ArrayPrototypePush, ArrayPrototypeJoin, Error, JSONStringify, NumberPrototypeToString, ObjectDefineProperty, RangeError,
    SafeMap, String, StringFromCharCode, StringFromCodePoint, StringPrototypeCharCodeAt, StringPrototypeCodePointAt,
    StringPrototypeIndexOf, StringPrototypePadStart, StringPrototypeSlice, TypeError, TypedArrayPrototypeGetLength,
    TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteOffset,
    TypedArrayPrototypeGetByteLength, Uint8Array, ArrayBufferPrototype, ArrayBufferPrototypeSlice,
    ArrayBufferPrototypeGetByteLength, ArrayBufferIsView, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset, Date, DatePrototypeGetTime, MapPrototypeForEach, SetPrototypeForEach, RegExp,
    RegExpPrototypeGetSource, RegExpPrototypeGetFlags, ObjectKeys, ArrayIsArray, Map, Set, MapPrototypeSet, SetPrototypeAdd,
    DatePrototype, MapPrototype, SetPrototype, RegExpPrototype, ErrorPrototype, ObjectPrototypeIsPrototypeOf,
    StringPrototypeReplaceAll, ArrayPrototypeFilter, ArrayPrototypeSort, SymbolIterator, StringPrototypeSplit,
    decodeURIComponent, encodeURIComponent, ReflectApply,
  } = globalThis.__bootstrap.primordials;
  const { op_url } = globalThis.Deno.core.ops;
  const { randomWord } = globalThis.__isolet;

  function provide(name, value) {
    ObjectDefineProperty(globalThis, name, { __proto__: null, value, writable: true, configurable: true });
  }

  // --- UTF-8 and base64 ---

  class TextEncoder {
    get encoding() { return "utf-8"; }
    encode(input = "") {
      const text = String(input);
      const bytes = new Uint8Array(text.length * 3);
      let length = 0;
      for (let place = 0; place < text.length; place++) {
        let point = StringPrototypeCodePointAt(text, place);
        if (point > 0xffff) place++;
        else if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
        if (point < 0x80) bytes[length++] = point;
        else if (point < 0x800) {
          bytes[length++] = 0xc0 | (point >> 6);
          bytes[length++] = 0x80 | (point & 63);
        } else if (point < 0x10000) {
          bytes[length++] = 0xe0 | (point >> 12);
          bytes[length++] = 0x80 | ((point >> 6) & 63);
          bytes[length++] = 0x80 | (point & 63);
        } else {
          bytes[length++] = 0xf0 | (point >> 18);
          bytes[length++] = 0x80 | ((point >> 12) & 63);
          bytes[length++] = 0x80 | ((point >> 6) & 63);
          bytes[length++] = 0x80 | (point & 63);
        }
      }
      return new Uint8Array(ArrayBufferPrototypeSlice(TypedArrayPrototypeGetBuffer(bytes), 0, length));
    }
  }

  function bytesOf(source) {
    if (ArrayBufferIsView(source)) {
      if (TypedArrayPrototypeGetSymbolToStringTag(source) === undefined) {
        return new Uint8Array(DataViewPrototypeGetBuffer(source), DataViewPrototypeGetByteOffset(source), DataViewPrototypeGetByteLength(source));
      }
      return new Uint8Array(TypedArrayPrototypeGetBuffer(source), TypedArrayPrototypeGetByteOffset(source), TypedArrayPrototypeGetByteLength(source));
    }
    return new Uint8Array(source);
  }

  class TextDecoder {
    #fatal;
    constructor(label = "utf-8", options = undefined) {
      const name = String(label);
      if (name !== "utf-8" && name !== "utf8" && name !== "UTF-8") throw new RangeError("only utf-8 can be decoded, not " + JSONStringify(name));
      this.#fatal = options?.fatal === true;
    }
    get encoding() { return "utf-8"; }
    get fatal() { return this.#fatal; }
    decode(source = undefined) {
      if (source === undefined) return "";
      const bytes = bytesOf(source);
      const length = TypedArrayPrototypeGetLength(bytes);
      const parts = [];
      let place = length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
      while (place < length) {
        const first = bytes[place++];
        if (first < 0x80) {
          ArrayPrototypePush(parts, StringFromCharCode(first));
          continue;
        }
        const more = first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : 0;
        let point = more === 3 ? first & 7 : more === 2 ? first & 15 : first & 31;
        let taken = 0;
        while (taken < more && first < 0xf5 && (bytes[place] & 0xc0) === 0x80) {
          const next = bytes[place];
          if (taken === 0 && ((first === 0xe0 && next < 0xa0) || (first === 0xed && next > 0x9f) || (first === 0xf0 && next < 0x90) || (first === 0xf4 && next > 0x8f))) break;
          point = (point << 6) | (next & 63);
          place++;
          taken++;
        }
        if (more === 0 || taken < more) {
          if (this.#fatal) throw new TypeError("the bytes are not valid utf-8");
          point = 0xfffd;
        }
        ArrayPrototypePush(parts, StringFromCodePoint(point));
      }
      return ArrayPrototypeJoin(parts, "");
    }
  }
  provide("TextEncoder", TextEncoder);
  provide("TextDecoder", TextDecoder);

  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const base64 = {
    btoa(input) {
      const text = String(input);
      const parts = [];
      for (let place = 0; place < text.length; place += 3) {
        let group = 0;
        for (let at = 0; at < 3; at++) {
          const unit = place + at < text.length ? StringPrototypeCharCodeAt(text, place + at) : 0;
          if (unit > 255) throw new RangeError("btoa takes characters up to U+00FF: encode the text with TextEncoder first");
          group = (group << 8) | unit;
        }
        const left = text.length - place;
        ArrayPrototypePush(parts, ALPHABET[group >> 18] + ALPHABET[(group >> 12) & 63] + (left > 1 ? ALPHABET[(group >> 6) & 63] : "=") + (left > 2 ? ALPHABET[group & 63] : "="));
      }
      return ArrayPrototypeJoin(parts, "");
    },
    atob(input) {
      let text = String(input);
      for (const space of ["\t", "\n", "\f", "\r", " "]) text = StringPrototypeReplaceAll(text, space, "");
      if (text.length % 4 === 0) {
        if (text[text.length - 1] === "=") text = StringPrototypeSlice(text, 0, -1);
        if (text[text.length - 1] === "=") text = StringPrototypeSlice(text, 0, -1);
      }
      if (text.length % 4 === 1) throw new RangeError("atob takes base64, this text has a wrong length");
      const parts = [];
      let group = 0, bits = 0;
      for (let place = 0; place < text.length; place++) {
        const value = StringPrototypeIndexOf(ALPHABET, text[place]);
        if (value < 0) throw new RangeError("atob takes base64, character " + place + " is none of it");
        group = ((group << 6) | value) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
          bits -= 8;
          ArrayPrototypePush(parts, StringFromCharCode((group >> bits) & 255));
        }
      }
      return ArrayPrototypeJoin(parts, "");
    },
  };
  provide("btoa", base64.btoa);
  provide("atob", base64.atob);

  // --- crypto: as random as `Math.random`, which the host seeds with 128 bits for each run; not for keys ---

  function hexadecimal(word) {
    return StringPrototypePadStart(NumberPrototypeToString(word, 16), 8, "0");
  }
  const crypto = {
    randomUUID() {
      const first = hexadecimal(randomWord());
      const second = hexadecimal(((randomWord() & 0xffff0fff) | 0x4000) >>> 0);
      const third = hexadecimal(((randomWord() & 0x3fffffff) | 0x80000000) >>> 0);
      const fourth = hexadecimal(randomWord());
      return first + "-" + StringPrototypeSlice(second, 0, 4) + "-" + StringPrototypeSlice(second, 4) + "-" + StringPrototypeSlice(third, 0, 4) + "-" + StringPrototypeSlice(third, 4) + fourth;
    },
    getRandomValues(array) {
      const bytes = bytesOf(array);
      const length = TypedArrayPrototypeGetLength(bytes);
      if (length > 65536) throw new RangeError("at most 65536 random bytes at a time");
      for (let place = 0; place < length; place++) bytes[place] = randomWord() >>> 24;
      return array;
    },
  };
  provide("crypto", crypto);

  // --- structuredClone of plain data ---

  function isA(prototype, value) {
    return ObjectPrototypeIsPrototypeOf(prototype, value);
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
    if (isA(DatePrototype, value)) return keep(new globalThis.Date(DatePrototypeGetTime(value)));
    if (isA(RegExpPrototype, value)) return keep(new RegExp(RegExpPrototypeGetSource(value), RegExpPrototypeGetFlags(value)));
    if (isA(ArrayBufferPrototype, value)) return keep(ArrayBufferPrototypeSlice(value, 0, ArrayBufferPrototypeGetByteLength(value)));
    if (ArrayBufferIsView(value)) {
      const bytes = bytesOf(value);
      const buffer = ArrayBufferPrototypeSlice(TypedArrayPrototypeGetBuffer(bytes), TypedArrayPrototypeGetByteOffset(bytes), TypedArrayPrototypeGetByteOffset(bytes) + TypedArrayPrototypeGetByteLength(bytes));
      const kind = TypedArrayPrototypeGetSymbolToStringTag(value) ?? "DataView";
      return keep(new VIEWS[kind](buffer));
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
    const copy = keep(ArrayIsArray(value) ? [] : {});
    if (ArrayIsArray(value)) copy.length = value.length;
    const keys = ObjectKeys(value);
    for (let place = 0; place < keys.length; place++) {
      ObjectDefineProperty(copy, keys[place], { __proto__: null, value: cloned(value[keys[place]], seen), writable: true, configurable: true, enumerable: true });
    }
    return copy;
  }
  const VIEWS = { __proto__: null, DataView };
  for (const name of ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"]) {
    VIEWS[name] = globalThis[name];
  }
  provide("structuredClone", { structuredClone(value) { return cloned(value, new SafeMap()); } }.structuredClone);

  // --- AbortController ---

  const MAKE = {};
  class AbortSignal {
    #aborted = false;
    #reason = undefined;
    #listeners = [];
    onabort = null;
    constructor(key) {
      if (key !== MAKE) throw new TypeError("an AbortSignal comes from an AbortController");
    }
    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    throwIfAborted() { if (this.#aborted) throw this.#reason; }
    addEventListener(type, listener) {
      if (type === "abort" && typeof listener === "function") ArrayPrototypePush(this.#listeners, listener);
    }
    removeEventListener(type, listener) {
      if (type === "abort") this.#listeners = ArrayPrototypeFilter(this.#listeners, (known) => known !== listener);
    }
    static abort(reason) {
      const controller = new AbortController();
      controller.abort(reason);
      return controller.signal;
    }
    static timeout(milliseconds) {
      const controller = new AbortController();
      globalThis.setTimeout(() => controller.abort(abortError("the operation timed out", "TimeoutError")), milliseconds);
      return controller.signal;
    }
    static fire(key, signal, reason) {
      if (key !== MAKE || signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason;
      const event = { __proto__: null, type: "abort", target: signal };
      if (typeof signal.onabort === "function") ReflectApply(signal.onabort, signal, [event]);
      for (let place = 0; place < signal.#listeners.length; place++) ReflectApply(signal.#listeners[place], signal, [event]);
    }
  }
  const { fire } = AbortSignal;
  delete AbortSignal.fire;

  function abortError(message, name) {
    const error = new Error(message);
    ObjectDefineProperty(error, "name", { __proto__: null, value: name, writable: true, configurable: true });
    return error;
  }
  class AbortController {
    #signal = new AbortSignal(MAKE);
    get signal() { return this.#signal; }
    abort(reason = abortError("this operation was aborted", "AbortError")) { fire(MAKE, this.#signal, reason); }
  }
  provide("AbortSignal", AbortSignal);
  provide("AbortController", AbortController);

  // --- URL: parsed by the crate `url`, which follows the WHATWG standard ---

  function decodePart(text) {
    const spaced = StringPrototypeReplaceAll(text, "+", " ");
    try {
      return decodeURIComponent(spaced);
    } catch {
      return spaced;
    }
  }
  function encodePart(text) {
    let encoded = encodeURIComponent(text);
    for (const [from, to] of ENCODED_TOO) encoded = StringPrototypeReplaceAll(encoded, from, to);
    return encoded;
  }
  const ENCODED_TOO = [["%20", "+"], ["!", "%21"], ["'", "%27"], ["(", "%28"], [")", "%29"], ["~", "%7E"]];

  class URLSearchParams {
    #pairs = [];
    #changed;
    constructor(init = "", changed = undefined) {
      this.#changed = changed === undefined ? () => {} : changed(MAKE);
      if (typeof init === "object" && init !== null) {
        const pairs = typeof init[SymbolIterator] === "function" ? [...init] : ArrayPrototypeMapEntries(init);
        for (let place = 0; place < pairs.length; place++) ArrayPrototypePush(this.#pairs, [String(pairs[place][0]), String(pairs[place][1])]);
      } else {
        this.#parse(String(init));
      }
    }
    #parse(text) {
      const parts = StringPrototypeSplit(text[0] === "?" ? StringPrototypeSlice(text, 1) : text, "&");
      for (let place = 0; place < parts.length; place++) {
        if (parts[place] === "") continue;
        const equals = StringPrototypeIndexOf(parts[place], "=");
        const name = equals < 0 ? parts[place] : StringPrototypeSlice(parts[place], 0, equals);
        const value = equals < 0 ? "" : StringPrototypeSlice(parts[place], equals + 1);
        ArrayPrototypePush(this.#pairs, [decodePart(name), decodePart(value)]);
      }
    }
    get size() { return this.#pairs.length; }
    append(name, value) {
      ArrayPrototypePush(this.#pairs, [String(name), String(value)]);
      this.#changed(this.toString());
    }
    delete(name) {
      this.#pairs = ArrayPrototypeFilter(this.#pairs, (pair) => pair[0] !== String(name));
      this.#changed(this.toString());
    }
    get(name) {
      for (let place = 0; place < this.#pairs.length; place++) if (this.#pairs[place][0] === String(name)) return this.#pairs[place][1];
      return null;
    }
    getAll(name) {
      const values = [];
      for (let place = 0; place < this.#pairs.length; place++) if (this.#pairs[place][0] === String(name)) ArrayPrototypePush(values, this.#pairs[place][1]);
      return values;
    }
    has(name) { return this.get(name) !== null; }
    set(name, value) {
      let found = false;
      this.#pairs = ArrayPrototypeFilter(this.#pairs, (pair) => {
        if (pair[0] !== String(name)) return true;
        if (found) return false;
        found = true;
        pair[1] = String(value);
        return true;
      });
      if (!found) ArrayPrototypePush(this.#pairs, [String(name), String(value)]);
      this.#changed(this.toString());
    }
    sort() {
      ArrayPrototypeSort(this.#pairs, (left, right) => (left[0] < right[0] ? -1 : left[0] > right[0] ? 1 : 0));
      this.#changed(this.toString());
    }
    forEach(callback) { for (let place = 0; place < this.#pairs.length; place++) callback(this.#pairs[place][1], this.#pairs[place][0], this); }
    *entries() { for (let place = 0; place < this.#pairs.length; place++) yield [this.#pairs[place][0], this.#pairs[place][1]]; }
    *keys() { for (let place = 0; place < this.#pairs.length; place++) yield this.#pairs[place][0]; }
    *values() { for (let place = 0; place < this.#pairs.length; place++) yield this.#pairs[place][1]; }
    [SymbolIterator]() { return this.entries(); }
    toString() {
      const parts = [];
      for (let place = 0; place < this.#pairs.length; place++) ArrayPrototypePush(parts, encodePart(this.#pairs[place][0]) + "=" + encodePart(this.#pairs[place][1]));
      return ArrayPrototypeJoin(parts, "&");
    }
  }
  function ArrayPrototypeMapEntries(object) {
    const pairs = [];
    const keys = ObjectKeys(object);
    for (let place = 0; place < keys.length; place++) ArrayPrototypePush(pairs, [keys[place], object[keys[place]]]);
    return pairs;
  }

  // The parts of a URL as `op_url` gives them, in this order; an empty answer means that it is none.
  const PARTS = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];
  function parsed(href, base, part, value) {
    const text = op_url(href, base, part, value);
    return text === "" ? undefined : StringPrototypeSplit(text, "\n");
  }

  class URL {
    #parts;
    #searchParams;
    constructor(url, base = undefined) {
      this.#parts = parsed(String(url), base === undefined ? "" : String(base), "", "");
      if (this.#parts === undefined) throw new TypeError("Invalid URL: " + JSONStringify(String(url)));
    }
    static canParse(url, base = undefined) { return parsed(String(url), base === undefined ? "" : String(base), "", "") !== undefined; }
    static parse(url, base = undefined) { return URL.canParse(url, base) ? new URL(url, base) : null; }
    get searchParams() {
      this.#searchParams ??= new URLSearchParams(this.search, () => (search) => { this.#set("search", search); });
      return this.#searchParams;
    }
    #set(part, value) {
      const parts = parsed(this.#parts[0], "", part, String(value));
      if (parts !== undefined) this.#parts = parts;
      else if (part === "href") throw new TypeError("Invalid URL: " + JSONStringify(String(value)));
    }
    static part(place, part) {
      const accessor = { __proto__: null, configurable: true, enumerable: true, get() { return this.#parts[place]; } };
      if (part !== "origin") {
        accessor.set = function (value) {
          this.#set(part, value);
          if (part === "search" || part === "href") this.#searchParams = undefined;
        };
      }
      return accessor;
    }
    toString() { return this.#parts[0]; }
    toJSON() { return this.#parts[0]; }
  }
  for (let place = 0; place < PARTS.length; place++) ObjectDefineProperty(URL.prototype, PARTS[place], URL.part(place, PARTS[place]));
  delete URL.part;
  provide("URL", URL);
  provide("URLSearchParams", URLSearchParams);
})(globalThis);
