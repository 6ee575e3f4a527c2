//! class: numbers
//! kind: good
//! like: claude
//! servers: git
//! looks: digits in a text that is no JSON object stay a text
//! verdict: runs
//! value: {"id": "9007199254740993123", "last": 123, "known": true}
//! notes: none
//! calls: ["git.git_show"]
//! ----
const id = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:ORDER_ID" });
const exact = BigInt(id);
return { id, last: Number(exact % 1000n), known: id === "9007199254740993123" };
