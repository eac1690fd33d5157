//! The few pages that people need now: a home with search, a publisher, a skill, errands. In English and Chinese.

mod browse;
mod errand;
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
        .get(errand::PATH, errand::list)
        .post(errand::PATH, errand::ask)
        .get("/errands/{id}", errand::show)
        .post("/errands/{id}", errand::submit)
        .get("/language/{word}", language::choose)
        .get(layout::STYLE_PATH, layout::style)
        .get(layout::MARK_PATH, layout::mark)
}
