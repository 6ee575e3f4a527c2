await test.echo({});
await new Promise(() => {});
