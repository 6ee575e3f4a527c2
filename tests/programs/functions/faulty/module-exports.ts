//! class: functions
//! kind: faulty
//! like: llama
//! servers: filesystem
//! fault: a CommonJS module that exports its program
//! verdict: noted
//! provable: no
//! value: ["cart.ts", "total.ts"]
//! notes: ["call|function"]
//! calls: ["filesystem.list_directory"]
//! repair: unneeded
//! ----
module.exports = async () => {
  const { content } = await filesystem.list_directory({ path: '/srv/web/src' });
  return content.split('\n').map(line => line.replace('[FILE] ', ''));
};
