await test.secret({});
