//! class: expressions
//! kind: good
//! like: gpt
//! servers: github
//! looks: a failing tool that the program expects
//! verdict: runs
//! value: "could not fork: Permission Denied: Resource not accessible by personal access token"
//! notes: none
//! calls: ["github.fork_repository"]
//! ----
try {
  const fork = await github.fork_repository({ owner: "acme", repo: "web" });
  return fork.full_name;
} catch (error) {
  return `could not fork: ${error.message}`;
}
