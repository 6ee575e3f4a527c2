//! class: globals
//! kind: good
//! like: claude
//! servers: github
//! looks: asks first whether the globals are there
//! verdict: runs
//! value: {"base": "tools", "open": 3}
//! notes: any
//! calls: ["github.list_issues"]
//! ----
const env = typeof process !== "undefined" ? process.env : {};
const base = typeof fetch === "function" ? "network" : "tools";
const issues = await github.list_issues({ owner: env.OWNER ?? "acme", repo: "web" });
return { base, open: issues.length };
