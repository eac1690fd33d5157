//! The `kontor` command.
fn main() {}
