//! class: facts
//! kind: good
//! servers: github
//! verdict: runs
//! value: "refused"
//! notes: any
//! calls: []
//! ----
let closed = "unknown";
try {
  closed = (await github.update_issue({ owner: "acme", repo: "web", number: 12, state: "closed" })).state;
} catch {
  closed = "refused";
}
return closed;
