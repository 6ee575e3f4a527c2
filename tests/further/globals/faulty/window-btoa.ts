//! class: globals
//! kind: faulty
//! servers: git
//! fault: a function of the page's window that is global here
//! verdict: refused
//! provable: yes
//! says: ["window"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
const version = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:VERSION" });
return window.btoa(version);
