// Clock, random numbers and timers. What must differ between runs is set by `begin`, in the run's own process.
//
// The clock stands still while the guest computes and moves when the loop goes on: with a tool's answer or a timer that
// fires (SECURITY.md S-55). `Math.random` starts from a seed of the host, never from the state that fork inherits (S-56).
"use strict";
((globalThis) => {
  const {
    Date, DatePrototype, DatePrototypeToString, MathFloor, Number, ObjectDefineProperty, ObjectDefineProperties, RangeError,
    ReflectApply, ReflectConstruct, ReflectGetOwnPropertyDescriptor, TypeError, uncurryThis,
  } = globalThis.__bootstrap.primordials;
  const { Intl, Math } = globalThis;
  const isolet = globalThis.__isolet;
  const { list } = isolet;

  let now = 0; // milliseconds since 1970

  function FrozenDate(...values) {
    if (new.target === undefined) return DatePrototypeToString(new Date(now));
    return ReflectConstruct(Date, values.length === 0 ? list(now) : values, new.target);
  }
  const staticMethod = (value) => ({ __proto__: null, value, writable: true, configurable: true });
  ObjectDefineProperties(FrozenDate, {
    __proto__: null,
    name: { __proto__: null, value: "Date", configurable: true },
    length: { __proto__: null, value: 7, configurable: true },
    prototype: { __proto__: null, value: DatePrototype, writable: false },
    now: staticMethod({ __proto__: null, now() { return now; } }.now),
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
      __proto__: null,
      get format() {
        const format = formatGetter(this);
        return (date) => format(date === undefined ? now : date);
      },
    }, "format").get,
    configurable: true,
  });
  ObjectDefineProperty(formatPrototype, "formatToParts", staticMethod({
    __proto__: null,
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
    __proto__: null,
    random() { return ((randomWord() >>> 5) * 67108864 + (randomWord() >>> 6)) / 9007199254740992; },
  }.random));

  // Timers in order of due time, then of creation: a ring, in which `timers` stands before the first and after the last.
  const TIMERS_MAX = 1000;
  const DELAY_MAX = 2147483647;
  const timers = { __proto__: null, due: -1 };
  timers.next = timers.previous = timers;
  let timerCount = 0;
  let lastTimer = 0;

  function addTimer(callback, delay, repeats, values) {
    if (typeof callback !== "function") throw new TypeError("a timer needs a function to call");
    if (timerCount >= TIMERS_MAX) throw new RangeError("too many timers: at most " + TIMERS_MAX + " may wait at a time");
    let wait = Number(delay);
    if (!(wait >= 1)) wait = 1;
    if (wait > DELAY_MAX) wait = DELAY_MAX;
    const interval = repeats ? MathFloor(wait) : 0;
    const timer = { __proto__: null, id: ++lastTimer, due: now + MathFloor(wait), callback, values, interval };
    insert(timer);
    return timer.id;
  }

  function insert(timer) {
    let before = timers.previous;
    while (before.due > timer.due) before = before.previous;
    timer.previous = before;
    timer.next = before.next;
    timer.previous.next = timer.next.previous = timer;
    timerCount++;
  }

  function remove(timer) {
    timer.previous.next = timer.next;
    timer.next.previous = timer.previous;
    timerCount--;
  }

  function clearTimer(id) {
    let timer = timers.next;
    while (timer !== timers && timer.id !== id) timer = timer.next;
    if (timer !== timers) remove(timer);
  }

  const functions = {
    __proto__: null,
    setTimeout(callback, delay = 0, ...values) { return addTimer(callback, delay, false, values); },
    setInterval(callback, delay = 0, ...values) { return addTimer(callback, delay, true, values); },
    clearTimeout(id) { clearTimer(id); },
    clearInterval(id) { clearTimer(id); },
  };
  for (const name of ["setTimeout", "setInterval", "clearTimeout", "clearInterval"]) {
    ObjectDefineProperty(globalThis, name, staticMethod(functions[name]));
  }

  // Sets what one run has of its own: the clock, and four 32-bit words of seed.
  function begin(milliseconds, first, second, third, fourth) {
    now = milliseconds;
    a = first | 0;
    b = second | 0;
    c = third | 0;
    d = fourth | 0;
    if ((a | b | c | d) === 0) a = 1;
    for (let turn = 0; turn < 8; turn++) randomWord();
  }

  // Moves the clock, never back.
  function moveClock(milliseconds) {
    if (milliseconds > now) now = milliseconds;
  }

  // Milliseconds since 1970 at which the next timer is due, or -1.
  function nextTimer() {
    return timers.next.due;
  }

  // Calls the first timer that is due, and says whether there was one. An exception of the callback goes to the caller.
  function fireTimer() {
    const timer = timers.next;
    if (timer === timers || timer.due > now) return false;
    remove(timer);
    if (timer.interval > 0) {
      timer.due = now + timer.interval;
      insert(timer);
    }
    ReflectApply(timer.callback, undefined, timer.values);
    return true;
  }

  isolet.addTimer = addTimer;
  isolet.begin = begin;
  isolet.FrozenDate = FrozenDate;
  isolet.moveClock = moveClock;
  isolet.nextTimer = nextTimer;
  isolet.fireTimer = fireTimer;
  isolet.randomWord = randomWord;
})(globalThis);
