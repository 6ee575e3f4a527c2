// `URL`, parsed by the crate `url`, which follows the WHATWG standard, and `URLSearchParams`.
"use strict";
((globalThis) => {
  const {
    ArrayPrototypeSort, decodeURIComponent, encodeURIComponent, JSONStringify, ObjectDefineProperty, ObjectKeys, RangeError,
    String, StringPrototypeCharAt, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToWellFormed, SymbolIterator,
    TypeError,
  } = globalThis.__bootstrap.primordials;
  const { op_url } = globalThis.Deno.core.ops;
  const { append, bare, list, provide, published, shortened } = globalThis.__isolet;

  // A value as text, halves of surrogate pairs as U+FFFD: they have no place in a URL.
  function textOf(value) {
    return StringPrototypeToWellFormed(String(value));
  }

  // The parts of a text between separators of one character.
  function split(text, separator) {
    const parts = list();
    let start = 0;
    for (;;) {
      const end = StringPrototypeIndexOf(text, separator, start);
      if (end < 0) break;
      append(parts, StringPrototypeSlice(text, start, end));
      start = end + 1;
    }
    append(parts, StringPrototypeSlice(text, start));
    return parts;
  }

  function replaced(text, from, to) {
    const parts = split(text, from);
    let whole = parts[0];
    for (let place = 1; place < parts.length; place++) whole += to + parts[place];
    return whole;
  }

  function decodePart(text) {
    const spaced = replaced(text, "+", " ");
    try {
      return decodeURIComponent(spaced);
    } catch {
      return spaced;
    }
  }

  // As `encodeURIComponent`, which leaves these five as they are, and with `+` for a space.
  function encodePart(text) {
    const parts = split(text, " ");
    let whole = "";
    for (let place = 0; place < parts.length; place++) {
      let part = encodeURIComponent(parts[place]);
      part = replaced(replaced(replaced(part, "!", "%21"), "'", "%27"), "(", "%28");
      whole += (place === 0 ? "" : "+") + replaced(replaced(part, ")", "%29"), "~", "%7E");
    }
    return whole;
  }

  // The query of a `URL`, as `URLSearchParams` that say when they have changed, and their text.
  let paramsOf;
  let queryOf;
  let takeQuery;
  class URLSearchParams {
    #pairs = list(); // of { name, value }
    #changed = () => {};
    static {
      paramsOf = (query, changed) => {
        const params = new URLSearchParams(query);
        params.#changed = changed;
        return params;
      };
      queryOf = (params) => params.#text();
      takeQuery = (params, query) => {
        params.#pairs = list();
        params.#parse(query);
      };
    }
    constructor(init = "") {
      if (typeof init === "object" && init !== null) {
        if (typeof init[SymbolIterator] === "function") this.#takePairs(init);
        else this.#takeMembers(init);
      } else {
        this.#parse(textOf(init));
      }
    }
    #add(name, value) {
      append(this.#pairs, { __proto__: null, name, value });
    }
    #takePairs(pairs) {
      for (const pair of pairs) this.#add(textOf(pair[0]), textOf(pair[1]));
    }
    #takeMembers(object) {
      const keys = bare(ObjectKeys(object));
      for (let place = 0; place < keys.length; place++) this.#add(textOf(keys[place]), textOf(object[keys[place]]));
    }
    #parse(text) {
      const parts = split(StringPrototypeCharAt(text, 0) === "?" ? StringPrototypeSlice(text, 1) : text, "&");
      for (let place = 0; place < parts.length; place++) {
        const part = parts[place];
        if (part === "") continue;
        const equals = StringPrototypeIndexOf(part, "=");
        const name = equals < 0 ? part : StringPrototypeSlice(part, 0, equals);
        const value = equals < 0 ? "" : StringPrototypeSlice(part, equals + 1);
        this.#add(decodePart(name), decodePart(value));
      }
    }
    // The first pair of that name.
    #find(name) {
      const wanted = textOf(name);
      const pairs = this.#pairs;
      for (let place = 0; place < pairs.length; place++) if (pairs[place].name === wanted) return pairs[place];
      return undefined;
    }
    // Leaves out the pairs of that name, but for one.
    #remove(name, kept) {
      const pairs = this.#pairs;
      this.#pairs = list();
      for (let place = 0; place < pairs.length; place++) {
        if (pairs[place].name !== name || pairs[place] === kept) append(this.#pairs, pairs[place]);
      }
    }
    #tell() {
      const changed = this.#changed;
      changed();
    }
    #text() {
      const pairs = this.#pairs;
      let text = "";
      for (let place = 0; place < pairs.length; place++) {
        text += (place === 0 ? "" : "&") + encodePart(pairs[place].name) + "=" + encodePart(pairs[place].value);
      }
      return text;
    }
    *#walk(shown) {
      for (let place = 0; place < this.#pairs.length; place++) yield shown(this.#pairs[place]);
    }
    get size() { return this.#pairs.length; }
    append(name, value) {
      this.#add(textOf(name), textOf(value));
      this.#tell();
    }
    delete(name) {
      this.#remove(textOf(name), undefined);
      this.#tell();
    }
    get(name) { return this.#find(name)?.value ?? null; }
    getAll(name) {
      const wanted = textOf(name);
      const pairs = this.#pairs;
      const values = list();
      for (let place = 0; place < pairs.length; place++) if (pairs[place].name === wanted) append(values, pairs[place].value);
      return published(values);
    }
    has(name) { return this.#find(name) !== undefined; }
    set(name, value) {
      const known = this.#find(name);
      if (known === undefined) {
        this.#add(textOf(name), textOf(value));
      } else {
        known.value = textOf(value);
        this.#remove(known.name, known);
      }
      this.#tell();
    }
    sort() {
      ArrayPrototypeSort(this.#pairs, (left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
      this.#tell();
    }
    forEach(callback) {
      for (let place = 0; place < this.#pairs.length; place++) callback(this.#pairs[place].value, this.#pairs[place].name, this);
    }
    entries() { return this.#walk((pair) => published(list(pair.name, pair.value))); }
    keys() { return this.#walk((pair) => pair.name); }
    values() { return this.#walk((pair) => pair.value); }
    [SymbolIterator]() { return this.#walk((pair) => published(list(pair.name, pair.value))); }
    toString() { return this.#text(); }
  }

  // The parts of a URL as `op_url` gives them, in this order; an empty answer means that it is none.
  const PARTS = list("href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash");
  const HREF = 0;
  const SEARCH = 9;
  // The parser works outside of V8's heap, and takes several times the text.
  const LENGTH_MAX = 1 << 20;
  function parsed(href, base, part, value) {
    const length = href.length + base.length + value.length;
    if (length > LENGTH_MAX) throw new RangeError("a URL of " + length + " characters is too long: the limit is " + LENGTH_MAX);
    const text = op_url(href, base, part, value);
    return text === "" ? undefined : split(text, "\n");
  }

  function invalid(text) {
    return new TypeError("Invalid URL: " + JSONStringify(shortened(text, 1024)));
  }

  function parsedOf(url, base) {
    return parsed(textOf(url), base === undefined ? "" : textOf(base), "", "");
  }

  let descriptorOf;
  class URL {
    #parts;
    #searchParams;
    #isBehind = false; // the parts, of the parameters
    constructor(url, base = undefined) {
      this.#parts = parsedOf(url, base);
      if (this.#parts === undefined) throw invalid(textOf(url));
    }
    static canParse(url, base = undefined) { return parsedOf(url, base) !== undefined; }
    static parse(url, base = undefined) { return parsedOf(url, base) === undefined ? null : new URL(url, base); }
    get searchParams() {
      this.#searchParams ??= paramsOf(this.#parts[SEARCH], () => { this.#isBehind = true; });
      return this.#searchParams;
    }
    #part(place) {
      if (this.#isBehind) {
        this.#set("search", queryOf(this.#searchParams));
        this.#isBehind = false;
      }
      return this.#parts[place];
    }
    #set(part, value) {
      const parts = parsed(this.#parts[HREF], "", part, textOf(value));
      if (parts !== undefined) this.#parts = parts;
      else if (part === "href") throw invalid(textOf(value));
    }
    toString() { return this.#part(HREF); }
    toJSON() { return this.#part(HREF); }
    static {
      // The property of one part.
      descriptorOf = (place, part) => {
        const accessor = { __proto__: null, configurable: true, enumerable: true, get() { return this.#part(place); } };
        if (part !== "origin") {
          const isQuery = part === "search" || part === "href";
          accessor.set = function (value) {
            if (!isQuery) this.#part(HREF);
            this.#set(part, value);
            if (!isQuery) return;
            this.#isBehind = false;
            if (this.#searchParams !== undefined) takeQuery(this.#searchParams, this.#parts[SEARCH]);
          };
        }
        return accessor;
      };
    }
  }
  for (let place = 0; place < PARTS.length; place++) ObjectDefineProperty(URL.prototype, PARTS[place], descriptorOf(place, PARTS[place]));
  provide("URL", URL);
  provide("URLSearchParams", URLSearchParams);
})(globalThis);
