// The cut falls into a pair.
throw new Error("x".repeat(8191) + "\u{1F600}".repeat(3));
