// UTF-8 and base64.
"use strict";
((globalThis) => {
  const {
    ArrayPrototypeJoin, JSONStringify, ObjectDefineProperty, RangeError, String, StringFromCharCode, StringFromCodePoint,
    StringPrototypeCharAt, StringPrototypeCharCodeAt, StringPrototypeCodePointAt, StringPrototypeIndexOf,
    StringPrototypeSlice, TypeError, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag,
    TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetByteLength, Uint8Array,
    ArrayBufferIsView, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset,
  } = globalThis.__bootstrap.primordials;
  const isolet = globalThis.__isolet;
  const { append, list } = isolet;

  // A text that is made of many short ones. Few are kept apart at a time: each takes some twenty times what it says.
  const PIECES_MAX = 4096;
  function gathering() {
    return { __proto__: null, pieces: list(), whole: "" };
  }
  function gather(text, piece) {
    append(text.pieces, piece);
    if (text.pieces.length === PIECES_MAX) gathered(text);
  }
  function gathered(text) {
    text.whole += ArrayPrototypeJoin(text.pieces, "");
    text.pieces = list();
    return text.whole;
  }

  // Gives a global to programs.
  function provide(name, value) {
    ObjectDefineProperty(globalThis, name, { __proto__: null, value, writable: true, configurable: true });
  }

  // The character at a place, halves of surrogate pairs as U+FFFD.
  function pointAt(text, place) {
    const point = StringPrototypeCodePointAt(text, place);
    return point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
  }

  function encodedLength(text) {
    let length = 0;
    for (let place = 0; place < text.length; place++) {
      const point = pointAt(text, place);
      if (point > 0xffff) place++;
      length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    }
    return length;
  }

  class TextEncoder {
    get encoding() { return "utf-8"; }
    encode(input = "") {
      const text = String(input);
      const bytes = new Uint8Array(encodedLength(text));
      let length = 0;
      for (let place = 0; place < text.length; place++) {
        const point = pointAt(text, place);
        if (point > 0xffff) place++;
        if (point < 0x80) {
          bytes[length++] = point;
        } else if (point < 0x800) {
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
      return bytes;
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
      const text = gathering();
      let place = length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
      while (place < length) {
        const first = bytes[place++];
        if (first < 0x80) {
          gather(text, StringFromCharCode(first));
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
        gather(text, StringFromCodePoint(point));
      }
      return gathered(text);
    }
  }
  provide("TextEncoder", TextEncoder);
  provide("TextDecoder", TextDecoder);

  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  // The character of base64 for six bits.
  function digit(bits) {
    return StringPrototypeCharAt(ALPHABET, bits & 63);
  }

  // Without the white space that base64 may have.
  function withoutSpaces(text) {
    const kept = gathering();
    let start = 0;
    for (let place = 0; place < text.length; place++) {
      const unit = StringPrototypeCharCodeAt(text, place);
      if (unit !== 32 && unit !== 9 && unit !== 10 && unit !== 12 && unit !== 13) continue;
      gather(kept, StringPrototypeSlice(text, start, place));
      start = place + 1;
    }
    if (start === 0) return text;
    gather(kept, StringPrototypeSlice(text, start));
    return gathered(kept);
  }

  function withoutPadding(text) {
    if (text.length % 4 !== 0) return text;
    let length = text.length;
    if (StringPrototypeCharAt(text, length - 1) === "=") length--;
    if (StringPrototypeCharAt(text, length - 1) === "=") length--;
    return StringPrototypeSlice(text, 0, length);
  }

  const base64 = {
    __proto__: null,
    btoa(input) {
      const text = String(input);
      const encoded = gathering();
      for (let place = 0; place < text.length; place += 3) {
        let group = 0;
        for (let at = 0; at < 3; at++) {
          const unit = place + at < text.length ? StringPrototypeCharCodeAt(text, place + at) : 0;
          if (unit > 255) throw new RangeError("btoa takes characters up to U+00FF: encode the text with TextEncoder first");
          group = (group << 8) | unit;
        }
        const left = text.length - place;
        gather(encoded, digit(group >> 18) + digit(group >> 12) + (left > 1 ? digit(group >> 6) : "=") + (left > 2 ? digit(group) : "="));
      }
      return gathered(encoded);
    },
    atob(input) {
      const text = withoutPadding(withoutSpaces(String(input)));
      if (text.length % 4 === 1) throw new RangeError("atob takes base64, this text has a wrong length");
      const decoded = gathering();
      let group = 0, bits = 0;
      for (let place = 0; place < text.length; place++) {
        const value = StringPrototypeIndexOf(ALPHABET, StringPrototypeCharAt(text, place));
        if (value < 0) throw new RangeError("atob takes base64, character " + place + " is none of it");
        group = ((group << 6) | value) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
          bits -= 8;
          gather(decoded, StringFromCharCode((group >> bits) & 255));
        }
      }
      return gathered(decoded);
    },
  };
  provide("btoa", base64.btoa);
  provide("atob", base64.atob);

  isolet.bytesOf = bytesOf;
  isolet.provide = provide;
})(globalThis);
