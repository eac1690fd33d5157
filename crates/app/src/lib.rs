//! The services put together, no HTTP.
