//! class: values
//! kind: repaired
//! servers: playwright
//! repairs: function-returned
//! verdict: runs
//! value: 1
//! notes: none
//! calls: ["playwright.browser_snapshot"]
//! ----
const countButtons = async () => {
  const snapshot = await playwright.browser_snapshot({ depth: 3 });
  return (snapshot.match(/- button/g) ?? []).length;
};
return countButtons();
