// Clock, random numbers and timers. What must differ between runs is set by `begin`, in the run's own process.
//
// The clock stands still while the guest computes and moves when the loop goes on: with a tool's answer or a timer that
// fires (SECURITY.md S-55). `Math.random` starts from a seed of the host, never from the state that fork inherits (S-56).
"use strict";
((globalThis) => {
  const {
    ArrayPrototypeSplice, Date, DatePrototype, DatePrototypeToString, MathFloor, Number, ObjectDefineProperty,
    ObjectDefineProperties, RangeError, ReflectApply, ReflectConstruct, ReflectGetOwnPropertyDescriptor, TypeError,
    uncurryThis,
  } = globalThis.__bootstrap.primordials;
  const { Intl, Math } = globalThis;

  let now = 0; // milliseconds since 1970

  function FrozenDate(...values) {
    if (new.target === undefined) return DatePrototypeToString(new Date(now));
    return ReflectConstruct(Date, values.length === 0 ? [now] : values, new.target);
  }
  const staticMethod = (value) => ({ __proto__: null, value, writable: true, configurable: true });
  ObjectDefineProperties(FrozenDate, {
    name: { __proto__: null, value: "Date", configurable: true },
    length: { __proto__: null, value: 7, configurable: true },
    prototype: { __proto__: null, value: DatePrototype, writable: false },
    now: staticMethod({ now() { return now; } }.now),
    parse: staticMethod(Date.parse),
    UTC: staticMethod(Date.UTC),
  });
  ObjectDefineProperty(DatePrototype, "constructor", staticMethod(FrozenDate));
  ObjectDefineProperty(globalThis, "Date", staticMethod(FrozenDate));

  // `Intl.DateTimeFormat` reads the machine's clock when it is given no date.
  const formatPrototype = Intl.DateTimeFormat.prototype;
  const formatGetter = uncurryThis(ReflectGetOwnPropertyDescriptor(formatPrototype, "format").get);
  const formatToParts = uncurryThis(formatPrototype.formatToParts);
  ObjectDefineProperty(formatPrototype, "format", {
    __proto__: null,
    get: ReflectGetOwnPropertyDescriptor({
      get format() {
        const format = formatGetter(this);
        return (date) => format(date === undefined ? now : date);
      },
    }, "format").get,
    configurable: true,
  });
  ObjectDefineProperty(formatPrototype, "formatToParts", staticMethod({
    formatToParts(date) { return formatToParts(this, date === undefined ? now : date); },
  }.formatToParts));

  // xoshiro128**, four words of state.
  let a = 1, b = 2, c = 3, d = 4;
  function randomWord() {
    const product = (b * 5) | 0;
    const word = (((product << 7) | (product >>> 25)) * 9) | 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return word >>> 0;
  }
  ObjectDefineProperty(Math, "random", staticMethod({
    random() { return ((randomWord() >>> 5) * 67108864 + (randomWord() >>> 6)) / 9007199254740992; },
  }.random));

  // Timers, in order of due time, then of creation.
  const TIMERS_MAX = 1000;
  const DELAY_MAX = 2147483647;
  const timers = [];
  let lastTimer = 0;

  function addTimer(callback, delay, repeats, values) {
    if (typeof callback !== "function") throw new TypeError("a timer needs a function to call");
    if (timers.length >= TIMERS_MAX) throw new RangeError("too many timers: at most " + TIMERS_MAX + " may wait at a time");
    let wait = Number(delay);
    if (!(wait >= 1)) wait = 1;
    if (wait > DELAY_MAX) wait = DELAY_MAX;
    const timer = { __proto__: null, id: ++lastTimer, due: now + MathFloor(wait), callback, values, interval: repeats ? MathFloor(wait) : 0 };
    insert(timer);
    return timer.id;
  }

  function insert(timer) {
    let place = timers.length;
    while (place > 0 && timers[place - 1].due > timer.due) place--;
    ArrayPrototypeSplice(timers, place, 0, timer);
  }

  function removeTimer(id) {
    for (let place = 0; place < timers.length; place++) {
      if (timers[place].id === id) {
        ArrayPrototypeSplice(timers, place, 1);
        return;
      }
    }
  }

  const functions = {
    setTimeout(callback, delay = 0, ...values) { return addTimer(callback, delay, false, values); },
    setInterval(callback, delay = 0, ...values) { return addTimer(callback, delay, true, values); },
    clearTimeout(id) { removeTimer(id); },
    clearInterval(id) { removeTimer(id); },
  };
  for (const name of ["setTimeout", "setInterval", "clearTimeout", "clearInterval"]) {
    ObjectDefineProperty(globalThis, name, staticMethod(functions[name]));
  }

  // Sets what one run has of its own. `seed`: four 32-bit words.
  function begin(milliseconds, seed) {
    now = milliseconds;
    a = seed[0] | 0;
    b = seed[1] | 0;
    c = seed[2] | 0;
    d = seed[3] | 0;
    if ((a | b | c | d) === 0) a = 1;
    for (let turn = 0; turn < 8; turn++) randomWord();
  }

  // Moves the clock, never back.
  function moveClock(milliseconds) {
    if (milliseconds > now) now = milliseconds;
  }

  // Milliseconds since 1970 at which the next timer is due, or -1.
  function nextTimer() {
    return timers.length === 0 ? -1 : timers[0].due;
  }

  // Calls the first timer that is due, and says whether there was one. An exception of the callback goes to the caller.
  function fireTimer() {
    if (timers.length === 0 || timers[0].due > now) return false;
    const timer = timers[0];
    ArrayPrototypeSplice(timers, 0, 1);
    if (timer.interval > 0) {
      timer.due = now + timer.interval;
      insert(timer);
    }
    ReflectApply(timer.callback, undefined, timer.values);
    return true;
  }

  const isolet = globalThis.__isolet;
  isolet.begin = begin;
  isolet.moveClock = moveClock;
  isolet.nextTimer = nextTimer;
  isolet.fireTimer = fireTimer;
  isolet.randomWord = randomWord;
})(globalThis);
