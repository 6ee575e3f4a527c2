// What the isolate's own JavaScript is made of, so that nothing of it meets a prototype that the guest can change.
//
// A setter on `Array.prototype`, a `constructor` with a species, an iterator or a `then` of the guest would be handed what is
// ours. So objects are written `{ __proto__: null, … }`, arrays are made here and have no prototype while they are ours;
// nothing is iterated or spread, no method is called on a value, and no function is used that asks its arguments for
// `constructor` or a symbol. `tests/src/glue.rs` reads these files for it and tries every prototype there is.
"use strict";
((globalThis) => {
  const {
    ArrayPrototype, ObjectDefineProperty, ObjectSetPrototypeOf, PromisePrototypeThen,
  } = globalThis.__bootstrap.primordials;

  // What the engine made, an array or a descriptor, without a prototype: a list or an object of ours.
  function bare(made) {
    return ObjectSetPrototypeOf(made, null);
  }

  // A list of ours: an array without a prototype.
  function list(...values) {
    return bare(values);
  }

  // Adds to a list of ours: without a prototype there is no setter to meet.
  function append(members, value) {
    members[members.length] = value;
  }

  // A list of ours as an array of the guest's.
  function published(members) {
    return ObjectSetPrototypeOf(members, ArrayPrototype);
  }

  // `promise.then(…)` for a promise that the guest never sees: with a `constructor` of its own, nobody else is asked for one.
  function whenSettled(promise, fulfilled, rejected) {
    ObjectDefineProperty(promise, "constructor", { __proto__: null, value: undefined });
    PromisePrototypeThen(promise, fulfilled, rejected);
  }

  globalThis.__isolet = { __proto__: null, append, bare, list, published, whenSettled };
})(globalThis);
