//! class: globals
//! kind: good
//! like: gemini
//! servers: filesystem
//! looks: web globals that this place has
//! verdict: runs
//! value: {"href": "https://shop.example/search?q=2.4", "bytes": [195, 169], "base64": "aGk=", "id": 36, "price": "€12.50"}
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const { content } = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
const url = new URL("https://shop.example/search");
url.searchParams.set("q", content.trim());
const copy = structuredClone({ bytes: [...new TextEncoder().encode("é")] });
const price = new Intl.NumberFormat("en-US", { style: "currency", currency: "EUR" }).format(12.5);
return { href: url.href, bytes: copy.bytes, base64: btoa("hi"), id: crypto.randomUUID().length, price };
