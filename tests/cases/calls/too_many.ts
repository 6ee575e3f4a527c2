//! calls_max: 2
for (;;) await test.echo({});
