//! class: functions
//! kind: good
//! like: gpt
//! servers: github
//! looks: a `main` with parameters that has its arguments
//! verdict: runs
//! value: ["#7 closed", "#12 open"]
//! notes: none
//! calls: ["github.get_issue", "github.get_issue"]
//! ----
const main = async (owner = "acme", repo = "web", ...numbers: number[]) => {
  const found = await Promise.all(numbers.map((issue_number) => github.get_issue({ owner, repo, issue_number })));
  return found.map(({ number, state }) => `#${number} ${state}`);
};
return main(undefined, undefined, 7, 12);
