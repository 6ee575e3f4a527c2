// A `ToolError` that is thrown again still says where its call was made.
try {
  await test.fail({});
} catch (error) {
  await null;
  throw error;
}
