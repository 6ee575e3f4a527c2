//! class: expressions
//! kind: good
//! servers: filesystem
//! verdict: runs
//! value: "missing"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
try {
  await filesystem.read_text_file({ path: "/srv/web/missing.txt" });
  return "there";
} catch (error) {
  return "missing";
}
