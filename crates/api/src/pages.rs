//! The few pages that people need now: a home with search, a publisher, a skill. In English and Chinese.

mod browse;
mod language;
pub mod layout;
pub mod list;
pub mod markdown;
mod open;
mod reader;
pub mod skill;
mod words;

pub use language::Language;
pub use reader::Reader;
pub use words::Words;

use crate::Routes;

/// The routes of the pages.
pub fn routes() -> Routes {
    Routes::new()
        .get("/", browse::home)
        .get("/@{publisher}", browse::publisher)
        .get("/@{publisher}/{skill}", open::skill)
        .get("/language/{word}", language::choose)
        .get(layout::STYLE_PATH, layout::style)
        .get(layout::MARK_PATH, layout::mark)
}
