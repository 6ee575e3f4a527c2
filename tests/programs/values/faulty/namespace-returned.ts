//! class: values
//! kind: faulty
//! like: gemini
//! servers: git
//! fault: returns a namespace, whose functions JSON cannot say
//! verdict: noted
//! provable: no
//! notes: ["function|namespace"]
//! calls: []
//! repair: program
//! ----
// What can I do here?
return git;
