// A URL is parsed outside of the heap: one that is too long is refused, one that is almost so is not.
const lengths: unknown[] = [];
for (const text of ["x", "\u00fc", "\u{1F600}"]) {
  for (const length of [1_000_000, 1_100_000, 10_000_000]) {
    try {
      lengths.push(new URL("https://a/" + text.repeat(length / text.length)).href.length);
    } catch (error) {
      lengths.push(`${error.name}: ${error.message}`);
    }
  }
}
const url = new URL("https://a/?a=1");
url.searchParams.append("b", "x".repeat(2_000_000));
try { url.href } catch (error) { lengths.push(error.message) }
url.search = "c=2";
return [...lengths, url.href, url.searchParams.get("c")];
