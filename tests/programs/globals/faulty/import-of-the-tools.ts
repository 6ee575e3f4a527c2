//! class: globals
//! kind: faulty
//! like: claude
//! servers: github
//! fault: imports what is already there
//! verdict: refused
//! provable: yes
//! at: [1]
//! says: ["import", "github"]
//! calls: []
//! repair: program
//! ----
import { github } from "./tools";

const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.filter((issue) => issue.comments > 3).map((issue) => issue.number);
