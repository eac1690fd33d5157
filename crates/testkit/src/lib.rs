//! Test hubs, fixtures, a clock and both databases.
