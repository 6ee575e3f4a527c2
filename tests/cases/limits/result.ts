//! result_bytes_max: 100
return "x".repeat(200);
