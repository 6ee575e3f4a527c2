// A trap under every property of every built-in that a program can reach, and under names that no built-in has.
//
// A trap does what the property did, and keeps who came by. When the program has said which objects are its own, all others
// that a trap has seen are the isolate's, and are told as console lines. The same without traps is in `glue.rs`.
const traps = (() => {
  const { apply, construct, defineProperty, get, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, set, setPrototypeOf } = Reflect;
  const unbound = (method) => Function.prototype.call.bind(method);
  const isKnown = unbound(WeakSet.prototype.has), addKnown = unbound(WeakSet.prototype.add), known = new WeakSet(), say = console.log;
  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

  // --- who came by ---
  let hits = null, isSet = false, isAtEnd = false;
  const isStranger = (value) => isObject(value) && !isKnown(known, value);
  const told = { __proto__: null };
  function tell({ where, self, first, second }) {
    // A text or a number has no business with the prototypes of the guest either. JSON asks each bigint for its `toJSON`.
    const isForeign = isStranger(self) || !(isObject(self) || self === undefined || self === null || typeof self === "bigint");
    const line = "leak: " + where + (isForeign ? ", this" : "") + (isStranger(first) ? ", first" : "") + (isStranger(second) ? ", second" : "");
    if (line === "leak: " + where || told[line]) return;
    told[line] = true;
    say(line);
  }
  const at = (values, place) => (place < values.length ? values[place] : undefined);
  function hit(where, self, first, second) {
    if (!isSet) return;
    isSet = false;
    if (isAtEnd) tell({ __proto__: null, where, self, first, second });
    else hits = { __proto__: null, where, self, first, second, next: hits };
    isSet = true;
  }
  function knowAll(value, depth) {
    if (!isObject(value) || depth === 0) return;
    addKnown(known, value);
    const keys = ownKeys(value);
    for (let place = 0; place < keys.length; place++) {
      const property = getOwnPropertyDescriptor(value, keys[place]);
      if (property === undefined) continue;
      knowAll(property.value, depth - 1);
      knowAll(property.get, depth - 1);
      knowAll(property.set, depth - 1);
    }
  }
  function know(value) {
    const wasSet = isSet;
    isSet = false;
    knowAll(value, 5);
    isSet = wasSet;
    return value;
  }

  // --- what there is: everything that can be reached from the global and from what syntax makes ---
  const names = new Map();
  const visit = (value, name) => { if (isObject(value) && !names.has(value)) names.set(value, name); };
  visit(globalThis, "globalThis");
  const made = {
    array: [][Symbol.iterator](), map: new Map()[Symbol.iterator](), set: new Set()[Symbol.iterator](), string: ""[Symbol.iterator](),
    regexp: /a/g[Symbol.matchAll](""), generator: (function* () {})(), async: (async function* () {})(), asyncFunction: async () => {},
    generatorFunction: function* () {}, asyncGeneratorFunction: async function* () {}, helper: [].values().map((value) => value),
    wrapped: Iterator.from({ next() {} }), promise: Promise.resolve(), segments: new Intl.Segmenter().segment("a"),
    segment: new Intl.Segmenter().segment("a")[Symbol.iterator](), url: new URL("a:b"), params: new URLSearchParams("a=b"),
    keys: new URLSearchParams("a=b").keys(), controller: new AbortController(), signal: new AbortController().signal,
    toolError: new ToolError("made"), typed: new Float16Array(1), date: new Date(0), format: new Intl.DateTimeFormat().format,
    bound: (() => {}).bind(), arguments: (function () { return arguments; })(),
  };
  for (const name of ownKeys(made)) visit(getPrototypeOf(made[name]), "prototype of " + name);
  for (const [object, name] of names) {
    visit(getPrototypeOf(object), "prototype of " + name);
    for (const key of ownKeys(object)) {
      const property = getOwnPropertyDescriptor(object, key);
      const path = (name === "globalThis" ? "" : name + ".") + String(key);
      visit(property.value, path);
      visit(property.get, "get " + path);
      visit(property.set, "set " + path);
    }
  }
  for (const object of names.keys()) addKnown(known, object);

  // --- traps ---
  // A function that says who called it. What asks for a `constructor` gets the true one: asking is told already.
  const wrapped = (where, original) => {
    const wrapper = new Proxy(original, {
      __proto__: null,
      apply(target, self, values) {
        hit("call " + where, self, at(values, 0), at(values, 1));
        return apply(target, self, values);
      },
      construct(target, values, newTarget) {
        hit("new " + where, undefined, at(values, 0), at(values, 1));
        return construct(target, values, newTarget === wrapper ? target : newTarget);
      },
    });
    addKnown(known, wrapper);
    return wrapper;
  };
  const assigned = (self, key, value) => {
    if (isObject(self)) defineProperty(self, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  };
  function trapped(where, key, property) {
    const enumerable = property?.enumerable ?? false;
    if (property?.get || property?.set) {
      const getter = property.get && wrapped("get " + where, property.get), setter = property.set && wrapped("set " + where, property.set);
      return { __proto__: null, configurable: true, enumerable, get: getter, set: setter };
    }
    const original = property?.value;
    const value = typeof original === "function" && key !== "constructor" ? wrapped(where, original) : original;
    const trap = {
      __proto__: null, configurable: true, enumerable,
      get() { hit("get " + where, this); return value; },
      set(next) { hit("set " + where, this, next); assigned(this, key, next); },
    };
    addKnown(known, trap.get);
    addKnown(known, trap.set);
    return trap;
  }

  // What no built-in has: every name that a descriptor, an iterator, a thenable or the isolate's own objects could be asked for.
  const FREE = ("then toJSON get set value done writable enumerable configurable next return throw message code stack cause errors name " +
    "tool retryable prototype length raw index input groups exec flags lastIndex source resolve reject promise path position text call " +
    "id due callback values interval previous left level fatal stream maxByteLength signal reason aborted target type query limit paths " +
    "tools query changed parts self options onabort size key argument arguments entry first last none rawJSON -1 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17").split(" ");
  const SYMBOLS = Object.getOwnPropertyNames(Symbol).map((name) => Symbol[name]).filter((value) => typeof value === "symbol");
  // V8 reads this one itself, and takes no stack where it is no number: the guest's right.
  const LEFT = new Set(["stackTraceLimit"]);
  const plan = [];
  for (const [object, name] of names) {
    for (const key of ownKeys(object)) {
      const property = getOwnPropertyDescriptor(object, key);
      const path = name + "." + String(key);
      if (property.configurable && !LEFT.has(key)) plan.push([object, key, trapped(path, key, property)]);
    }
  }
  for (const key of [...FREE, ...SYMBOLS]) {
    if (!(key in Object.prototype)) plan.push([Object.prototype, key, trapped("Object.prototype." + String(key), key)]);
  }

  // The other way: behind each object that inherits from `Object.prototype` stands a proxy that sees every name.
  const behind = (name, parent) => new Proxy(parent, {
    __proto__: null,
    get(target, key, receiver) { hit("get behind " + name + "." + String(key), receiver); return get(target, key, receiver); },
    set(target, key, value, receiver) { hit("set behind " + name + "." + String(key), receiver, value); return set(target, key, value, receiver); },
    construct(target, values, newTarget) { hit("new behind " + name, undefined, at(values, 0), newTarget); return construct(target, values, newTarget); },
  });
  const chains = [];
  for (const [object, name] of names) {
    const parent = getPrototypeOf(object);
    if (parent === Object.prototype || (typeof object === "function" && parent !== Function.prototype)) chains.push([object, behind(name, parent)]);
  }
  for (const [, proxy] of chains) addKnown(known, proxy);

  return {
    __proto__: null,
    know,
    // From here on. `isBehind`: with proxies, or with a trap for each property.
    set(isBehind) {
      const chosen = isBehind ? chains : plan;
      for (let place = 0; place < chosen.length; place++) {
        const step = chosen[place];
        if (isBehind) setPrototypeOf(step[0], step[1]);
        else defineProperty(step[0], step[1], step[2]);
      }
      isSet = true;
    },
    // Tells what there was, and each that still comes. Gives back the program's result.
    end(result) {
      know(result);
      isSet = false;
      for (let seen = hits; seen !== null; seen = seen.next) tell(seen);
      isAtEnd = isSet = true;
      return result;
    },
  };
})();
