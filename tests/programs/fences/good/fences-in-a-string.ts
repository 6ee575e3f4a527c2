//! class: fences
//! kind: good
//! like: gpt
//! servers: github
//! looks: fences in string literals
//! verdict: runs
//! value: 40
//! notes: none
//! calls: ["github.create_issue"]
//! sends: [{"owner": "acme", "repo": "web", "title": "Crash in total()", "body": "Found in production:\n\n```\nTypeError: cart is undefined\n    at total (src/cart.ts:3)\n```", "labels": ["bug"]}]
//! ----
const log = "TypeError: cart is undefined\n    at total (src/cart.ts:3)";
const body = ["Found in production:", "", "```", log, "```"].join("\n");
const created = await github.create_issue({ owner: "acme", repo: "web", title: "Crash in total()", body, labels: ["bug"] });
return created.number;
