//! argument_bytes_max: 100
return await test.echo({ value: "x".repeat(200) }).catch((error) => error.code);
