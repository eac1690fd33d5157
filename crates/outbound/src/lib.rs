//! The one HTTP client for URLs that somebody else chose.
