//! class: functions
//! kind: faulty
//! servers: github
//! fault: a function that the last statement calls
//! verdict: noted
//! provable: no
//! value: 3
//! notes: any
//! calls: ["github.list_issues"]
//! repair: unneeded
//! ----
const main = async () => {
  const issues = await github.list_issues({ owner: "acme", repo: "web" });
  return issues.length;
};

main();
