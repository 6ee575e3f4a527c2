const half = "\u{1F600}"[0];
const url = new URL("https://example.com/" + half);
url.searchParams.set(half, half);
return [url.href, url.searchParams.get(half), new URLSearchParams({ [half]: half }).toString(), new TextDecoder().decode(new TextEncoder().encode(half))];
