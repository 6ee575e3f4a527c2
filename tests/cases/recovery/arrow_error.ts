(async () => { await test.fail({}); })
