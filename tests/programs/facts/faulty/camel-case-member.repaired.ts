//! class: facts
//! kind: repaired
//! servers: github
//! repairs: camel-case-member
//! verdict: runs
//! value: ["Fix Safari login", 1, "APPROVED"]
//! notes: none
//! calls: ["github.get_pull_request", "github.get_pull_request_reviews", "github.create_pull_request_review"]
//! ----
const pull = await github.get_pull_request({ owner: "acme", repo: "web", pull_number: 31 });
const reviews = await github.get_pull_request_reviews({ owner: "acme", repo: "web", pull_number: 31 });
const answer = await github.create_pull_request_review({ owner: "acme", repo: "web", pull_number: 31, body: "Thanks!", event: "APPROVE" });
return [pull.title, reviews.length, answer.state];
