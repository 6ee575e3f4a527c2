// Parameters and the URL that they belong to say the same, whichever is changed, and many changes take no longer than few.
const url = new URL("https://a/?a=1#h");
const { searchParams } = url;
searchParams.append("b", "2 3");
const seen = [url.search, url.href];
url.search = "c=3";
seen.push(searchParams.toString(), String(url.searchParams === searchParams));
searchParams.set("d", "4");
url.hash = "";
seen.push(url.href, JSON.stringify({ url }));
url.href = "https://b/?e=5";
searchParams.delete("e");
seen.push(url.href, url.toString());
try { url.href = "none" } catch (error) { seen.push(error.message) }
for (let at = 0; at < 5_000; at++) searchParams.append("k" + at, "v");
const lone = new URLSearchParams();
for (let at = 0; at < 50_000; at++) lone.append("k" + at, "v");
return [...seen, url.search.length, lone.size];
