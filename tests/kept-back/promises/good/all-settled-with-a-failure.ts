//! class: promises
//! kind: good
//! servers: filesystem
//! verdict: runs
//! value: ["fulfilled", "rejected"]
//! notes: none
//! calls: ["filesystem.read_text_file", "filesystem.read_text_file"]
//! ----
const read = (name: string) => filesystem.read_text_file({ path: `/srv/web/${name}` });
const [there, missing] = await Promise.allSettled([read("VERSION"), read("missing.txt")]);
return [there.status, missing.status];
