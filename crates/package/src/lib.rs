//! The skill format: parse, validate, discover, pack, unpack, hash.
