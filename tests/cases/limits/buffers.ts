//! buffer_bytes_max: 1000000
try { new ArrayBuffer(2000000) } catch (e) { return [e.name, (() => { try { new ArrayBuffer(8, { maxByteLength: 16 }) } catch (e) { return e.message } })()] }
