//! Full-text index and ranking.
