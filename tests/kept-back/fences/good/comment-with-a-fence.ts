//! class: fences
//! kind: good
//! servers: filesystem
//! verdict: runs
//! value: "2.4"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
/*
```ts
return 1;
```
*/
const { content } = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return content.trim();
