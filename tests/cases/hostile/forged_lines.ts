//! calls_in_flight_max: 1
// What the glue keeps of a call that waits is out of reach: its line in the record is true.
const seen: unknown[] = [];
const { defineProperty } = Reflect;
for (const prototype of [Object.prototype, Array.prototype]) {
  for (let place = 0; place < 8; place++) {
    defineProperty(prototype, String(place), {
      __proto__: null,
      configurable: true,
      set(value) {
        if (value !== null && typeof value === "object" && "position" in value) {
          seen[seen.length] = "a call";
          value.position = (99 << 12) | 1;
          value.path = "test.forged";
        }
        defineProperty(this, String(place), { __proto__: null, value, writable: true, enumerable: true, configurable: true });
      },
    } as never);
  }
}
class Species extends Array { constructor(length: number) { seen[seen.length] = "a species"; super(length); } }
defineProperty(Array.prototype, "constructor", { __proto__: null, value: { [Symbol.species]: Species }, configurable: true } as never);
const first = test.echo({});
const second = test.echo({ value: 2 });
const third = test.fail({});
await first;
await second;
delete (Array.prototype as never)["constructor"];
try {
  await third;
} catch (error) {
  return [seen.length, error.tool, error.stack];
}
