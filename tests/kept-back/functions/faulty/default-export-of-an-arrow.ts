//! class: functions
//! kind: faulty
//! servers: git
//! fault: a default export of an arrow function
//! verdict: noted
//! provable: no
//! value: "1.10"
//! notes: any
//! calls: ["git.git_show"]
//! repair: unneeded
//! ----
export default async () => {
  const text = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:VERSION" });
  return text;
};
