//! source_bytes_max: 40
return 1; // this program is too long
