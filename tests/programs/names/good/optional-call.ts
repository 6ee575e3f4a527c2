//! class: names
//! kind: good
//! like: claude
//! servers: github
//! looks: asks for names that are not there, and has a way out
//! verdict: runs
//! value: {"issues": 3, "projects": 0}
//! notes: any
//! calls: ["github.list_issues"]
//! ----
const list = github.listIssues ?? github.list_issues;
const issues = await list({ owner: "acme", repo: "web" });
const projects = (await github.list_projects?.({ owner: "acme", repo: "web" })) ?? [];
return { issues: issues.length, projects: projects.length };
