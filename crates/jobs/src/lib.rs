//! The durable queue: leases, retries, schedules, workers.
