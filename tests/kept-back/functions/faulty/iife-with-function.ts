//! class: functions
//! kind: faulty
//! servers: notion
//! fault: an immediately called function expression
//! verdict: noted
//! provable: no
//! value: ["Ada", "Sync bot"]
//! notes: any
//! calls: ["notion.API-get-users"]
//! repair: unneeded
//! ----
(async function () {
  const users = await notion.API_get_users({});
  return users.results.map((user) => user.name);
})();
