//! class: values
//! kind: faulty
//! like: qwen
//! servers: playwright
//! fault: returns the function instead of its value
//! verdict: noted
//! provable: no
//! value: null
//! notes: ["returned nothing", "function"]
//! calls: []
//! repair: program
//! ----
const countButtons = async () => {
  const snapshot = await playwright.browser_snapshot({ depth: 3 });
  return (snapshot.match(/- button/g) ?? []).length;
};
return countButtons;
