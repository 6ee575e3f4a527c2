//! class: expressions
//! kind: good
//! like: claude
//! servers: github
//! looks: returns out of a loop; a deliberate `null` at the end
//! verdict: runs
//! value: 31
//! notes: none
//! calls: ["github.list_pull_requests", "github.get_pull_request_reviews"]
//! ----
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web", state: "open" });
for (const { number } of pulls) {
  const reviews = await github.get_pull_request_reviews({ owner: "acme", repo: "web", pull_number: number });
  if (reviews.some((review) => review.state === "APPROVED")) {
    return number;
  }
}
return null;
