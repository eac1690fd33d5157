//! `kontor search`: skills that fit words, a name or a sentence.

use kontor_types::Handle;
use kontor_wire::{SearchHit, SearchQuery, SkillSort};
use serde_json::json;

use crate::exit::Exit;
use crate::session::Session;
use crate::terminal::{Style, clip, plain};

/// Columns of a description that are shown where the terminal does not say less.
const WIDEST: usize = 96;

/// Find skills
///
/// With words, a name or a whole sentence in English or Chinese.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to search for
    #[arg(required = true, num_args = 1..)]
    query: Vec<String>,
    /// The most results
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// The order
    #[arg(long, value_enum, default_value_t = Sort::Relevance)]
    sort: Sort,
    /// Only this publisher's
    #[arg(long)]
    publisher: Option<Handle>,
    /// Only in this category
    #[arg(long)]
    category: Option<String>,
    /// Only with this keyword
    #[arg(long)]
    keyword: Option<String>,
    /// Only under this SPDX licence
    #[arg(long)]
    license: Option<String>,
    /// Show copies beside their original
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Sort {
    Relevance,
    Updated,
    Downloads,
    Stars,
    Trending,
}

impl From<Sort> for SkillSort {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Relevance => Self::Relevance,
            Sort::Updated => Self::Updated,
            Sort::Downloads => Self::Downloads,
            Sort::Stars => Self::Stars,
            Sort::Trending => Self::Trending,
        }
    }
}

/// Asks the hub and shows what it found.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let query = SearchQuery {
        q: args.query.join(" "),
        sort: Some(args.sort.into()),
        publisher: args.publisher,
        category: args.category,
        keyword: args.keyword,
        license: args.license,
        all: args.all,
        cursor: None,
        limit: Some(args.limit),
    };
    let page = client.search(&query).await?;
    let terminal = &session.terminal;
    if terminal.json {
        let items: Vec<_> = page.items.iter().map(as_json).collect();
        terminal.json(&json!({ "items": items, "total": page.total }));
        return Ok(Exit::Done);
    }
    if page.items.is_empty() {
        terminal.note("nothing fits; try fewer or other words");
    }
    let more = page.total.unwrap_or(0).saturating_sub(page.items.len() as u64);
    let width = terminal.columns().map_or(WIDEST, |columns| columns.saturating_sub(4).clamp(20, WIDEST));
    for hit in &page.items {
        let skill = &hit.skill;
        let version = skill.latest.as_ref().map(ToString::to_string).unwrap_or_default();
        let mark =
            if skill.deprecation.is_some() { terminal.paint(Style::Yellow, " deprecated") } else { String::new() };
        let copies = match hit.copies {
            0 => String::new(),
            1 => terminal.paint(Style::Dim, " and 1 copy"),
            copies => terminal.paint(Style::Dim, &format!(" and {copies} copies")),
        };
        terminal.data(&format!(
            "{} {}{mark}{copies}\n    {}",
            terminal.paint(Style::Bold, &plain(&skill.reference.to_string())),
            terminal.paint(Style::Dim, &version),
            clip(&skill.description.split_whitespace().collect::<Vec<_>>().join(" "), width)
        ));
    }
    if more > 0 {
        terminal.note(&format!("{more} more; --limit shows more of them, `kontor info REF` all about one"));
    }
    Ok(Exit::Done)
}

fn as_json(hit: &SearchHit) -> serde_json::Value {
    let skill = &hit.skill;
    json!({
        "ref": skill.reference,
        "name": skill.name,
        "score": hit.score,
        "copies": hit.copies,
        "version": skill.latest,
        "description": skill.description,
        "description_derived": skill.description_derived,
        "license": skill.license,
        "stars": skill.counts.stars,
        "downloads": skill.counts.downloads,
        "updated_at": skill.updated_at,
    })
}
