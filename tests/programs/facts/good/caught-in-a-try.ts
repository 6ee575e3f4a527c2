//! class: facts
//! kind: good
//! like: gpt
//! servers: github
//! looks: tries a tool that may not exist, and catches
//! verdict: runs
//! value: {"milestones": 0}
//! notes: any
//! calls: ["github.list_issues"]
//! ----
let milestones: any[] = [];
try {
  milestones = await github.list_milestones({ owner: "acme", repo: "web" });
} catch {
  const issues = await github.list_issues({ owner: "acme", repo: "web" });
  milestones = issues.map((issue) => issue.milestone).filter(Boolean);
}
return { milestones: milestones.length };
