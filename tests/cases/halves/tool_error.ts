const half = "\u{1F600}"[0];
throw new ToolError(half, { code: half, tool: half });
