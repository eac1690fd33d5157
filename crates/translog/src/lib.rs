//! A log that nobody can rewrite: signed statements in a Merkle tree (RFC 6962), published as C2SP tiles and checkpoints.
//!
//! A [`Log`] takes statements in and proves them; one [`Sequencer`] at a time, fenced by a lease in the database, gives them
//! their places and signs the tree. A leaf is only `H(salt ‖ statement)`: salt and statement travel in a [`ProofFile`] to
//! those who may see them, and [`verify`] checks that file without a network. [`audit`] reads a whole published log again.

mod admission;
mod audit;
mod checkpoint;
mod entry;
mod error;
mod json;
mod log;
mod notary;
mod proof;
mod proof_file;
mod publisher;
mod receipts;
mod sequencer;
mod signatures;
mod signer;
mod tiles;
mod tree;
mod verify;
mod waiters;
mod words;

pub use admission::require_admitted;
pub use audit::{Audit, audit};
pub use checkpoint::Checkpoint;
pub use entry::{Entry, SALT_LENGTH, leaf};
pub use error::Error;
pub use json::json_digest;
pub use log::{Log, Options, Placed};
pub use notary::{Notary, Said};
pub use proof::{consistency, inclusion, verify_consistency, verify_inclusion};
pub use proof_file::{LogProof, ProofFile, ProvenStatement};
pub use publisher::Publisher;
pub use sequencer::{Round, Sequencer};
pub use signer::Signer;
pub use tiles::{FetchedNodes, Resource, Tile, TileKind, TilePath, Tiles};
pub use tree::{Frontier, Nodes, empty_root, leaf_hash, node_hash};
pub use verify::{Check, Report, Trust, verify};
pub use words::{Told, told};
