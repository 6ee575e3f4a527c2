//! class: fences
//! kind: good
//! servers: filesystem
//! looks: a template that has a fence
//! verdict: runs
//! value: 11
//! notes: none
//! calls: ["filesystem.write_file"]
//! ----
const report = ["```", "2.4", "```"].join("\n");
await filesystem.write_file({ path: "/srv/web/report.md", content: report });
return report.length;
