//! class: arguments
//! kind: good
//! like: qwen
//! servers: github
//! looks: an object that is complete only when it is used
//! verdict: runs
//! value: "closed"
//! notes: none
//! calls: ["github.update_issue"]
//! sends: [{"owner": "acme", "repo": "web", "issue_number": 12, "state": "closed"}]
//! ----
const args: Record<string, unknown> = { owner: "acme" };
args.repo = "web";
Object.assign(args, { issue_number: 12 }, { state: "closed" });
const updated = await github.update_issue(args as any);
return updated.state;
