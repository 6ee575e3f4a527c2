//! class: syntax
//! kind: good
//! like: claude
//! servers: github
//! looks: enums, generics, `satisfies`, `as const`
//! verdict: runs
//! value: [["src/login.ts", "small"], ["src/login.test.ts", "large"]]
//! notes: none
//! calls: ["github.get_pull_request_files"]
//! ----
enum Size { Small = "small", Large = "large" }
interface File { filename: string; additions: number; deletions: number }
type Sized<T extends File> = T & { size: Size };
const size = <T extends File,>(file: T): Sized<T> => ({ ...file, size: file.additions + file.deletions > 20 ? Size.Large : Size.Small });

const files = (await github.get_pull_request_files({ owner: "acme", repo: "web", pull_number: 31 })) as File[];
const sized = files.map((file) => size(file)) satisfies Sized<File>[];
return sized.map(({ filename, size }) => [filename, size] as const);
