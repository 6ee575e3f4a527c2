//! class: envelopes
//! kind: faulty
//! servers: hostinger
//! fault: `.data` of a list that is an array
//! verdict: fails
//! provable: no
//! at: [2]
//! calls: ["hostinger.domains_getDomainListV1"]
//! repair: program
//! ----
const answer = await hostinger.domains_getDomainListV1({});
return answer.data.map((one) => one.domain);
