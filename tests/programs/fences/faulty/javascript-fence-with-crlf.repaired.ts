//! class: fences
//! kind: repaired
//! servers: filesystem
//! repairs: javascript-fence-with-crlf
//! verdict: runs
//! value: "2.4.1"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
// Read the version of the package
const file = await filesystem.read_text_file({ path: '/srv/web/package.json' });
const pkg = JSON.parse(file.content);
return pkg.version;
