// The causes of an error are told as they are, whatever arrays do.
(Array.prototype as never)["toJSON"] = () => ["forged"];
(Object.prototype as never)["toJSON"] = () => "forged";
Array.prototype.push = Array.prototype.join = (() => "forged") as never;
throw new Error("outer", { cause: new AggregateError([new TypeError("one")], "inner") });
