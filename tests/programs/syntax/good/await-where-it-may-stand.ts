//! class: syntax
//! kind: good
//! like: claude
//! servers: github
//! looks: `await` in loops, conditions and parentheses at the top level
//! verdict: runs
//! value: {"titles": ["Login fails on Safari", "Crash on empty cart"], "firstReview": "APPROVED"}
//! notes: none
//! calls: ["github.get_issue", "github.get_issue", "github.get_issue", "github.get_pull_request_reviews"]
//! ----
const titles: string[] = [];
for (const number of [12, 15, 21]) {
  const { title, labels } = await github.get_issue({ owner: "acme", repo: "web", issue_number: number });
  if (labels.every((label) => label.name !== "feature")) titles.push(title);
}
const firstReview = (await github.get_pull_request_reviews({ owner: "acme", repo: "web", pull_number: 31 }))[0]?.state;
return { titles, firstReview };
