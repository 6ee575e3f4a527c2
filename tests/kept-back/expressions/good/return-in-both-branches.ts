//! class: expressions
//! kind: good
//! servers: github
//! verdict: runs
//! value: "Broken footer link"
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const closed = await github.list_issues({ owner: "acme", repo: "web", state: "closed" });
if (closed.length > 0) {
  return closed[0].title;
} else {
  return "none";
}
