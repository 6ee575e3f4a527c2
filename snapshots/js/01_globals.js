// What V8 gives that would break a promise: the constructor that could reserve memory outside of every limit, and numbers that
// no reader of JSON can hold.
//
// Runs once, while the snapshot is taken: no clock, no random, no state of one run. What a global must not have at all is
// deleted after boot (`bootstrap::DELETED_AT_BOOT`): V8 installs it again in every context, and aborts where it finds
// `Atomics` missing from a snapshot.
"use strict";
((globalThis) => {
  const {
    ArrayBuffer, ArrayBufferPrototype, JSONParse, JSONRawJSON, NumberIsFinite, ObjectDefineProperty, RangeError,
    ReflectConstruct, ReflectDeleteProperty, ReflectOwnKeys, ReflectGetOwnPropertyDescriptor, TypeError,
  } = globalThis.__bootstrap.primordials;
  const { list } = globalThis.__isolet;

  // A resizable buffer is mapped by V8 itself and never asks the allocator (ENGINE.md §4.2), so `maxByteLength` is refused.
  function BoundedArrayBuffer(length, options) {
    if (new.target === undefined) throw new TypeError("Constructor ArrayBuffer requires 'new'");
    if (options !== undefined && options !== null && options.maxByteLength !== undefined) {
      throw new RangeError("resizable ArrayBuffers are not available: allocate a new one instead");
    }
    return ReflectConstruct(ArrayBuffer, list(length), new.target);
  }
  ObjectDefineProperty(BoundedArrayBuffer, "name", { __proto__: null, value: "ArrayBuffer", configurable: true });
  ObjectDefineProperty(BoundedArrayBuffer, "length", { __proto__: null, value: 1, configurable: true });
  for (const key of ReflectOwnKeys(ArrayBuffer)) {
    if (key === "length" || key === "name") continue;
    ObjectDefineProperty(BoundedArrayBuffer, key, ReflectGetOwnPropertyDescriptor(ArrayBuffer, key));
  }
  for (const key of ["resize", "transfer", "transferToFixedLength"]) ReflectDeleteProperty(ArrayBufferPrototype, key);
  ObjectDefineProperty(ArrayBufferPrototype, "constructor", {
    __proto__: null, value: BoundedArrayBuffer, writable: true, configurable: true,
  });
  ObjectDefineProperty(globalThis, "ArrayBuffer", {
    __proto__: null, value: BoundedArrayBuffer, writable: true, configurable: true,
  });

  // `JSON.rawJSON("1e999")` is a number to JSON and none to those who read it: null, as `JSON.stringify` makes of Infinity.
  const { rawJSON } = {
    __proto__: null,
    rawJSON(text) {
      const raw = JSONRawJSON(text);
      const value = JSONParse(raw.rawJSON);
      return typeof value === "number" && !NumberIsFinite(value) ? JSONRawJSON("null") : raw;
    },
  };
  ObjectDefineProperty(globalThis.JSON, "rawJSON", { __proto__: null, value: rawJSON, writable: true, configurable: true });
})(globalThis);
