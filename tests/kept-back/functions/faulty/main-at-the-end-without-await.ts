//! class: functions
//! kind: faulty
//! servers: hostinger
//! fault: `main()` is the last statement
//! verdict: noted
//! provable: no
//! value: ["acme-shop.example", "acme.example"]
//! notes: any
//! calls: ["hostinger.domains_getDomainListV1"]
//! repair: unneeded
//! ----
interface Domain { domain: string; expires_at: string }

async function main(): Promise<string[]> {
  const domains: Domain[] = await hostinger.domains_getDomainListV1({});
  return domains.map((d) => d.domain).sort();
}

main();
