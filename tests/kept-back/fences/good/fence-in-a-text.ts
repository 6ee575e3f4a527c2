//! class: fences
//! kind: good
//! servers: github
//! verdict: runs
//! value: 9001
//! notes: none
//! calls: ["github.add_issue_comment"]
//! sends: [{"owner": "acme", "repo": "web", "issue_number": 12, "body": "Steps:\n```sh\nnpm test\n```"}]
//! ----
const body = ["Steps:", "```sh", "npm test", "```"].join("\n");
const comment = await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: 12, body });
return comment.id;
