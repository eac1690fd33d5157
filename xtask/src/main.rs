//! The paved path.
fn main() {}
