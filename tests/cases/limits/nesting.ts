//! source_nesting_max: 3
return [[[[1]]]];
