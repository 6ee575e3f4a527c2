//! class: syntax
//! kind: faulty
//! like: llama
//! servers: github
//! fault: `await` in a function declaration that is not `async`
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["await", "async"]
//! calls: []
//! repair: program
//! ----
function load(number) {
  const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: number });
  return `${issue.number}: ${issue.title}`;
}

return [await load(12), await load(15)];
