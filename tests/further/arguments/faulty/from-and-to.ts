//! class: arguments
//! kind: faulty
//! servers: filesystem
//! fault: `source` and `destination` are called `from` and `to`
//! verdict: refused
//! provable: yes
//! says: ["source", "destination"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const moved = await filesystem.move_file({ from: "/srv/web/notes.txt", to: "/srv/web/archive/notes.txt" });
return moved.content;
