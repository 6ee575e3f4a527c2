//! class: promises
//! kind: faulty
//! like: qwen
//! servers: git
//! fault: a promise that one path forgets: nothing can settle it any more
//! verdict: fails
//! provable: no
//! says: ["Deadlock|deadlock"]
//! calls: ["git.git_status"]
//! completed: ["git.git_status"]
//! repair: none
//! ----
const answer = await new Promise((resolve) => {
  git.git_status({ repo_path: "/srv/web" }).then((status) => {
    if (status.includes("nothing to commit")) resolve("clean");
  });
});
return answer;
