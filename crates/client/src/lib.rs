//! The hub's client: native API, import sources, installs and the lock file.
