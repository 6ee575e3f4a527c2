//! class: envelopes
//! kind: good
//! like: claude
//! servers: git github
//! looks: a helper that is ready for every envelope
//! verdict: runs
//! value: ["On branch main", "Dark mode"]
//! notes: none
//! calls: ["git.git_status", "github.get_issue"]
//! ----
const unwrap = (reply: any) => {
  if (reply?.content?.[0]?.text) return JSON.parse(reply.content[0].text);
  if (typeof reply === "string") { try { return JSON.parse(reply); } catch { return reply; } }
  return reply?.data ?? reply?.result ?? reply;
};
const status = unwrap(await git.git_status({ repo_path: "/srv/web" }));
const issue = unwrap(await github.get_issue({ owner: "acme", repo: "web", issue_number: 15 }));
return [status.split("\n")[1], issue.title];
