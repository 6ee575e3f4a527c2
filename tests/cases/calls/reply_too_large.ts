//! reply_bytes_max: 1000
return await test.big({}).catch((error) => error.code);
