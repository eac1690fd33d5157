//! People, organisations, tokens, sign-in, audit.
