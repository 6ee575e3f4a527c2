//! class: promises
//! kind: good
//! like: gpt
//! servers: github
//! looks: expects that one of two fails
//! verdict: runs
//! value: ["Login fails on Safari", "failed: Not Found: Issue not found"]
//! notes: none
//! calls: ["github.get_issue", "github.get_issue"]
//! ----
const results = await Promise.allSettled([12, 999].map((issue_number) => github.get_issue({ owner: "acme", repo: "web", issue_number })));
return results.map((result) => (result.status === "fulfilled" ? result.value.title : `failed: ${result.reason.message}`));
