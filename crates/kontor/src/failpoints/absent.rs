//! Without fail points there is nothing to arm.

/// Does nothing.
pub const fn arm() {}
