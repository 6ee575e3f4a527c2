try {
  await test.fail({});
} catch (error) {
  return [error.name, error.code, error.message, error.retryable, error.tool, error instanceof ToolError, error.stack];
}
