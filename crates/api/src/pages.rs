//! The few pages that people need now: a home with search, a publisher, a skill.

mod browse;
pub mod layout;
pub mod list;
pub mod markdown;
mod open;
pub mod skill;

use crate::Routes;

/// The routes of the pages.
pub fn routes() -> Routes {
    Routes::new()
        .get("/", browse::home)
        .get("/@{publisher}", browse::publisher)
        .get("/@{publisher}/{skill}", open::skill)
        .get(layout::STYLE_PATH, layout::style)
}
