const { value } = await test.echo({ value: “it’s” }); throw new Error(‘at ’ + value);
