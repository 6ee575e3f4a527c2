//! class: fences
//! kind: good
//! like: claude
//! servers: filesystem
//! looks: fences in a template literal, at the start of lines, with escapes
//! verdict: runs
//! value: "written"
//! notes: none
//! calls: ["filesystem.write_file"]
//! sends: [{"path": "/srv/web/INSTALL.md", "content": "# Install\n\n```sh\nnpm install web@2.5.0\n```\n"}]
//! ----
const version = "2.5.0";
await filesystem.write_file({
  path: "/srv/web/INSTALL.md",
  content: `# Install

\`\`\`sh
npm install web@${version}
\`\`\`
`,
});
return "written";
