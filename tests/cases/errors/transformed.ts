enum E { A }
function f(): never {
  throw new RangeError(`in f ${E.A}`, { cause: new Error("the cause") });
}
f();
