//! console_bytes_max: 10
console.log("12345");
console.log("123456");
