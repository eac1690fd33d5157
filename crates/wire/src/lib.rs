//! JSON shapes of the native API, shared by the hub and its client.
