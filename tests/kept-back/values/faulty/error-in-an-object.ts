//! class: values
//! kind: faulty
//! servers: github
//! fault: an error is returned in an object
//! verdict: runs
//! provable: no
//! contains: {"ok": false, "failure": {"name": "ToolError"}}
//! notes: any
//! calls: ["github.get_issue"]
//! repair: unneeded
//! ----
let failure;
try {
  await github.get_issue({ owner: "acme", repo: "web", issue_number: 404 });
} catch (error) {
  failure = error;
}
return { ok: false, failure };
