//! class: fences
//! kind: good
//! like: claude
//! servers: filesystem
//! looks: looks for fenced blocks in a file
//! verdict: runs
//! value: [{"language": "sh", "commands": ["npm install", "npm test"]}, {"language": "sh", "commands": ["npm run build"]}]
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const readme = await filesystem.read_text_file({ path: "/srv/web/README.md" });
const blocks = [...readme.content.matchAll(/```(\w+)\n([\s\S]*?)```/g)];
return blocks.map(([, language, code]) => ({ language, commands: code.trim().split("\n") }));
