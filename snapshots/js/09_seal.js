// The last file: what the guest process takes in its hand at boot, and nothing else of ours by name.
//
// The guest process reads `__isolet` right after boot and deletes it together with `Deno` and `__bootstrap`, which deno_core
// needs until then.
"use strict";
((globalThis) => {
  const {
    begin, beginCalls, finish, fireTimer, install, moveClock, nextTimer, refused, settle, stackText, start, threw, unhandled,
  } = globalThis.__isolet;
  const { ObjectFreeze } = globalThis.__bootstrap.primordials;
  globalThis.__isolet = ObjectFreeze({
    __proto__: null, begin, beginCalls, finish, fireTimer, install, moveClock, nextTimer, refused, settle, stackText, start, threw,
    unhandled,
  });
})(globalThis);
