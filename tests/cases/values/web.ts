const u = new URL("../c?q=1#h", "https://example.com/a/b");
u.searchParams.set("q", "a b");
return [u.href, u.pathname, btoa("hi"), atob("aGk="), new TextDecoder().decode(new TextEncoder().encode("g\u00fc\u{1F600}")), structuredClone({ a: [1, new Date(0)] }), new AbortController().signal.aborted];
