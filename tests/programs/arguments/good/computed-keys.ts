//! class: arguments
//! kind: good
//! like: claude
//! servers: github
//! looks: keys and values that are computed
//! verdict: runs
//! value: "Dark mode"
//! notes: none
//! calls: ["github.get_issue"]
//! ----
const numberKey = "issue_" + "number";
const issue = await github.get_issue({ owner: "acme", ["re" + "po"]: "web", [numberKey]: Number("15") });
return issue.title;
