//! class: facts
//! kind: good
//! like: claude
//! servers: github
//! looks: an alias that is replaced by an object of the program's own
//! verdict: runs
//! value: {"id": 0, "body": "Ping @hubot"}
//! notes: none
//! calls: ["github.get_issue"]
//! ----
let api: any = github;
const dryRun = true;
if (dryRun) {
  api = { add_issue_comment: async ({ body }) => ({ id: 0, body }), get_issue: github.get_issue };
}
const issue = await api.get_issue({ owner: "acme", repo: "web", issue_number: 12 });
const comment = await api.add_issue_comment({ body: `Ping @${issue.assignees[0].login}` });
return comment;
