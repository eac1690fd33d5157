//! The contract of every query about skills and runs, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

#[path = "../support/mod.rs"]
mod support;

#[macro_use]
mod fixtures;
mod activations;
mod assessments;
mod blobs;
mod consents;
mod consistency;
mod copies;
mod decisions;
mod import_paths;
mod likenesses;
mod look_alikes;
mod notices;
mod observed;
mod overlays;
mod policies;
mod publisher_keys;
mod purge;
mod recalls;
mod reports;
mod requirements;
mod resemblances;
mod reviews;
mod runs;
mod scan_reports;
mod secrets;
mod sight;
mod skill_names;
mod skills;
mod stars;
mod tags;
mod transfers;
mod unanswered_searches;
mod upload_tickets;
mod usage;
mod version_files;
mod version_signatures;
mod versions;
mod webhooks;
mod workflows;
