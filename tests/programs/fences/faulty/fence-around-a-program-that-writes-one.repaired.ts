//! class: fences
//! kind: repaired
//! servers: github
//! repairs: fence-around-a-program-that-writes-one
//! verdict: runs
//! value: 9001
//! notes: none
//! calls: ["github.get_pull_request_files", "github.add_issue_comment"]
//! ----
const files = await github.get_pull_request_files({ owner: "acme", repo: "web", pull_number: 31 });
const lines = files.map((file) => `+${file.additions} -${file.deletions} ${file.filename}`);
const body = "Changed files:\n\n```\n" + lines.join("\n") + "\n```\n";
const comment = await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: 12, body });
return comment.id;
