//! class: fences
//! kind: good
//! servers: git
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["git.git_branch"]
//! ----
const branch = await git.git_branch({ repo_path: "/srv/web", branch_type: "local" });
const page = `
# Branches
\`\`\`
${branch}
\`\`\`
`;
return page.includes("* main");
