//! class: facts
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: a required member in camel case, as the third step
//! verdict: refused
//! provable: yes
//! at: [3]
//! says: ["pullNumber", "pull_number"]
//! calls: []
//! repair: program
//! ----
const pull = await github.get_pull_request({ owner: "acme", repo: "web", pull_number: 31 });
const reviews = await github.get_pull_request_reviews({ owner: "acme", repo: "web", pull_number: 31 });
const answer = await github.create_pull_request_review({ owner: "acme", repo: "web", pullNumber: 31, body: "Thanks!", event: "APPROVE" });
return [pull.title, reviews.length, answer.state];
