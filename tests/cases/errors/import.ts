return await import("node:fs");
