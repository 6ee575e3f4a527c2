//! class: values
//! kind: repaired
//! servers: github
//! repairs: function-returned
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const countOpen = async () => {
  const issues = await github.list_issues({ owner: "acme", repo: "web", state: "open" });
  return issues.length;
};
return countOpen();
