//! class: functions
//! kind: repaired
//! servers: filesystem
//! repairs: module-exports
//! verdict: runs
//! value: ["cart.ts", "total.ts"]
//! notes: none
//! calls: ["filesystem.list_directory"]
//! ----
const program = async () => {
  const { content } = await filesystem.list_directory({ path: '/srv/web/src' });
  return content.split('\n').map(line => line.replace('[FILE] ', ''));
};
return await program();
