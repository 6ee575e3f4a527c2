//! class: values
//! kind: repaired
//! servers: github
//! repairs: invalid-date
//! verdict: runs
//! value: {"opened": "2026-10-20T14:00:00.000Z", "due": null}
//! notes: none
//! calls: ["github.get_issue"]
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 15 });
return { opened: new Date(issue.created_at), due: issue.due_on ? new Date(issue.due_on) : null };
