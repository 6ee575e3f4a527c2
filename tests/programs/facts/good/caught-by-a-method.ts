//! class: facts
//! kind: good
//! like: claude
//! servers: filesystem
//! looks: wrong arguments whose failure the program itself handles
//! verdict: runs
//! value: {"missing": null, "wrong": "invalid_arguments"}
//! notes: any
//! calls: ["filesystem.read_text_file"]
//! ----
const missing = await filesystem.read_text_file({ path: "/srv/web/missing.txt" }).catch(() => null);
const wrong = await filesystem.read_text_file({ file: "/srv/web/VERSION" } as any).catch((error) => error.code);
return { missing, wrong };
