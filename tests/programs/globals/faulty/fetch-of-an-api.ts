//! class: globals
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: goes to the network for what a tool does, after a call that is right
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["fetch", "github.add_issue_comment"]
//! calls: []
//! repair: none
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 21 });
const response = await fetch(`https://api.github.com/repos/acme/web/issues/${issue.number}/comments`, {
  method: "POST",
  body: JSON.stringify({ body: "Looking into it." }),
});
return (await response.json()).id;
