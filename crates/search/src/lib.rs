//! Full-text index and ranking: which of the skills that a viewer may see answers these words?
//!
//! [`Index`] is the one door: it takes changes in the order of the change feed, remembers the last
//! one it contains, and answers queries, suggestions and facets. It knows nothing of databases; a
//! missing, broken or outdated index opens fresh and empty, and the registry feeds it again.

mod access;
mod analysis;
mod bits;
mod copies;
mod document;
mod error;
mod facets;
mod hits;
mod index;
mod looks;
mod paging;
mod postings;
mod query;
mod ranking;
mod schema;
mod search;
mod sketch;
mod snapshot;
mod spelling;
mod stored;
mod suggest;
mod understanding;
mod weighing;
mod window;

pub use document::{Change, Document};
pub use error::Error;
pub use hits::{Facet, FacetValue, Hit, Hits, Total};
pub use index::{Building, Index, Opened};
pub use query::{Filters, Mode, Query, Sort};
pub use ranking::Weights;
pub use suggest::Suggestion;
