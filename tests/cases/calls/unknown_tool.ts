await test.ad({});
