//! The few pages that people need now: a home with search, a publisher, a skill.

pub mod layout;
pub mod list;
pub mod markdown;
pub mod skill;
