//! class: syntax
//! kind: faulty
//! servers: github
//! fault: `await` in an arrow function that is not async
//! verdict: refused
//! provable: yes
//! says: ["async"]
//! at: [2, 3]
//! calls: []
//! repair: program
//! ----
const numbers = [7, 12];
const titles = numbers.map((number) => {
  const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: number });
  return issue.title;
});
return await Promise.all(titles);
