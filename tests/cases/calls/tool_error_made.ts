// A `ToolError` of the program's own is where it was made.
throw new ToolError("made here", { code: "mine", place: 4097 });
