//! class: promises
//! kind: good
//! like: claude
//! servers: github
//! looks: tries again, with timers, and catches the last failure
//! verdict: runs
//! value: ["Crash on empty cart", "Not Found: Issue not found"]
//! notes: none
//! calls: ["github.get_issue", "github.get_issue", "github.get_issue", "github.get_issue"]
//! ----
async function retry<T>(work: () => Promise<T>, attempts = 3): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2 ** attempt));
    }
  }
}
const issue = await retry(() => github.get_issue({ owner: "acme", repo: "web", issue_number: 21 }));
const gone = await retry(() => github.get_issue({ owner: "acme", repo: "web", issue_number: 404 })).catch((error) => error.message);
return [issue.title, gone];
