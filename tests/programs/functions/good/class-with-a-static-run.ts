//! class: functions
//! kind: good
//! like: gemini
//! servers: github
//! looks: the program is in a class
//! verdict: runs
//! value: [15, 21]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
class Triage {
  static async run(owner: string, repo: string) {
    const issues = await github.list_issues({ owner, repo });
    return issues.filter((issue) => issue.assignees.length === 0).map((issue) => issue.number);
  }
}
return await Triage.run("acme", "web");
