//! class: globals
//! kind: faulty
//! servers: playwright
//! fault: `axios` is used as if it were there
//! verdict: refused
//! provable: yes
//! says: ["axios"]
//! at: [1]
//! calls: []
//! repair: none
//! ----
const page = await axios.get("https://shop.example/cart");
return page.status;
