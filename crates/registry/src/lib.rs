//! Publish, import, versions, tags, yank, resolve, feeds.
