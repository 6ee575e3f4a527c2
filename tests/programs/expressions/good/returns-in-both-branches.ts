//! class: expressions
//! kind: good
//! like: gpt
//! servers: github
//! looks: no statement after the branches, each of which returns
//! verdict: runs
//! value: {"number": 21, "answer": "today"}
//! notes: none
//! calls: ["github.get_issue"]
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 21 });
if (issue.labels.some((label) => label.name === "urgent")) {
  return { number: issue.number, answer: "today" };
} else {
  return { number: issue.number, answer: "this week" };
}
