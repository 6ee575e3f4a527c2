//! class: globals
//! kind: faulty
//! servers: github
//! fault: an import of the tools themselves
//! verdict: refused
//! provable: yes
//! says: ["import"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
import { github } from "./tools";

const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.length;
