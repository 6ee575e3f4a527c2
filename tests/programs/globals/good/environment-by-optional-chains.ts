//! class: globals
//! kind: good
//! like: claude
//! servers: github
//! looks: optional chains over what may be missing, and a `performance` of its own
//! verdict: runs
//! value: {"token": "none", "total_count": 2, "measured": true}
//! notes: none
//! calls: ["github.search_issues"]
//! ----
const token = globalThis.process?.env?.GITHUB_TOKEN ?? "none";
const performance = { now: () => Date.now() };
const start = performance.now();
const { total_count } = await github.search_issues({ q: "repo:acme/web is:open label:bug" });
return { token, total_count, measured: performance.now() >= start };
