//! class: syntax
//! kind: good
//! like: llama
//! servers: github
//! looks: shell commands as text
//! verdict: runs
//! value: 9002
//! notes: none
//! calls: ["github.add_issue_comment"]
//! ----
const steps = ["npm ci && npm test", "curl -s https://shop.example/health | jq .status", "git push --follow-tags"];
const comment = await github.add_issue_comment({
  owner: "acme",
  repo: "web",
  issue_number: 15,
  body: "To reproduce:\n" + steps.map((step) => `    $ ${step}`).join("\n"),
});
return comment.id;
