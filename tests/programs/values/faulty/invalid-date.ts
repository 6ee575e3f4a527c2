//! class: values
//! kind: faulty
//! like: gemini
//! servers: github
//! fault: a date of what is not there: JSON has no invalid date
//! verdict: noted
//! provable: no
//! value: {"opened": "2026-10-20T14:00:00.000Z", "due": null}
//! notes: ["date"]
//! calls: ["github.get_issue"]
//! repair: unneeded
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 15 });
return { opened: new Date(issue.created_at), due: new Date(issue.due_on) };
