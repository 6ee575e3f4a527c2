//! class: arguments
//! kind: repaired
//! servers: filesystem
//! repairs: from-and-to
//! verdict: runs
//! value: "Successfully moved /srv/web/notes.txt to /srv/web/archive/notes.txt"
//! notes: none
//! calls: ["filesystem.move_file"]
//! ----
const moved = await filesystem.move_file({ source: "/srv/web/notes.txt", destination: "/srv/web/archive/notes.txt" });
return moved.content;
