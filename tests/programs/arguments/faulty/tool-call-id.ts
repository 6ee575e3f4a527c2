//! class: arguments
//! kind: faulty
//! like: gemini
//! servers: github
//! fault: members that transports add, over a closed schema: dropped
//! verdict: noted
//! provable: no
//! value: 4
//! notes: ["toolCallId"]
//! calls: ["github.get_issue"]
//! sends: [{"owner": "acme", "repo": "web", "issue_number": 12}]
//! repair: unneeded
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 12, toolCallId: "call_1", _meta: { progressToken: 1 } });
return issue.comments;
