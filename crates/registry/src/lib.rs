//! Publish, import, versions, tags, yank, resolve, feeds.

pub mod backup;
pub mod collect;
pub mod fsck;
