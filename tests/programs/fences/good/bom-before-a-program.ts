//! class: fences
//! kind: good
//! like: qwen
//! servers: github
//! looks: a byte order mark is white space of the language: the text parses, nothing is recovered
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
﻿const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.length;
