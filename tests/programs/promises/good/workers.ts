//! class: promises
//! kind: good
//! like: claude
//! servers: github
//! looks: two workers over one queue
//! verdict: runs
//! value: {"7": "Broken footer link", "12": "Login fails on Safari", "15": "Dark mode", "21": "Crash on empty cart"}
//! notes: none
//! calls: ["github.get_issue", "github.get_issue", "github.get_issue", "github.get_issue"]
//! ----
const queue = [7, 12, 15, 21];
const titles: Record<number, string> = {};
async function worker() {
  for (let number = queue.shift(); number !== undefined; number = queue.shift()) {
    const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: number });
    titles[number] = issue.title;
  }
}
await Promise.all(Array.from({ length: 2 }, worker));
return titles;
