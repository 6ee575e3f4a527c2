//! class: globals
//! kind: faulty
//! like: claude
//! servers: filesystem
//! fault: hashes with a part of Web Crypto that is not there
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["crypto.subtle"]
//! calls: []
//! repair: none
//! ----
const { content } = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content));
return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("").length;
