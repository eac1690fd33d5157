//! `kontor review`: decide what the policy leaves to people, and ask for another look.

mod bytes;

use kontor_client::{Client, Error, Name};
use kontor_types::{Code, Problem, SkillRef, VersionSelector};
use kontor_wire::{Appeal, ReviewAct, ReviewDeed, ReviewDetail, ReviewQuery, ReviewState, VersionState};
use serde_json::json;

use crate::amounts::moment;
use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::{Style, plain};
use crate::verbs::{decided, exact_version, full_name};

/// Decide about versions that wait for a person
///
/// `list` shows what waits, `show` what was found and said, `diff` and `fetch` the bytes; `approve`, `reject` and `changes` decide. A publisher asks for
/// another look with `appeal`, and reads what they were told with `notices`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show what waits, the oldest first
    List {
        /// Show reviews in this state in place of the open ones
        #[arg(long, value_enum)]
        state: Option<State>,
    },
    /// Show what was found in a version and said about it
    Show(Which),
    /// Show what differs from the version that was admitted last before
    Diff(bytes::Diff),
    /// Fetch the bytes of a version that was not admitted, to look at them: nothing is installed
    Fetch(bytes::Fetch),
    /// Take a review on
    Claim(Which),
    /// Leave a review to others
    Release(Which),
    /// Say something to the publisher
    Comment(Said),
    /// Accept a version; the policy may want a second person to
    Approve(Which),
    /// Refuse a version
    Reject(Said),
    /// Ask the publisher for changes
    Changes(Said),
    /// Ask for another look at a version of yours that was held or rejected, or whose scan failed
    Appeal(Said),
    /// Show what you were told about versions
    Notices,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The version: `@publisher/skill@1.2.0`
    version: SkillRef,
    /// What to say
    #[arg(long, short)]
    message: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Said {
    /// The version: `@publisher/skill@1.2.0`
    version: SkillRef,
    /// What to say
    #[arg(long, short)]
    message: String,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum State {
    /// Somebody must decide
    Open,
    /// A person accepted it
    Approved,
    /// The publisher shall change it
    Changes,
    /// A person refused it
    Rejected,
    /// Nothing is left to decide
    Settled,
}

impl From<State> for ReviewState {
    fn from(state: State) -> Self {
        match state {
            State::Open => Self::Open,
            State::Approved => Self::Approved,
            State::Changes => Self::Changes,
            State::Rejected => Self::Rejected,
            State::Settled => Self::Settled,
        }
    }
}

/// Does one thing in reviews.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let said = |said: Said| (said.version, said.message);
    let which = |which: Which| (which.version, which.message.unwrap_or_default());
    let (deed, (version, text)) = match args.verb {
        Verb::List { state } => return list(&client, state, session).await,
        Verb::Notices => return notices(&client, session).await,
        Verb::Appeal(asked) => return appeal(&client, asked, session).await,
        Verb::Show(asked) => {
            let detail = client.review(&review_of(&client, &asked.version).await?).await?;
            show(&detail, session);
            return Ok(Exit::Done);
        }
        Verb::Diff(asked) => return bytes::diff(&client, asked, session).await,
        Verb::Fetch(asked) => return bytes::fetch(&client, asked, session).await,
        Verb::Claim(asked) => (ReviewDeed::Claim, which(asked)),
        Verb::Release(asked) => (ReviewDeed::Release, which(asked)),
        Verb::Comment(asked) => (ReviewDeed::Comment, said(asked)),
        Verb::Approve(asked) => (ReviewDeed::Approve, which(asked)),
        Verb::Reject(asked) => (ReviewDeed::Reject, said(asked)),
        Verb::Changes(asked) => (ReviewDeed::Changes, said(asked)),
    };
    let id = review_of(&client, &version).await?;
    let detail = client.act_on_review(&id, &ReviewAct { kind: deed, text }).await?;
    if session.terminal.json {
        session.terminal.json(&detail);
        return Ok(Exit::Done);
    }
    let (word, style) = decided::standing(&detail.assessment);
    let name = session.terminal.paint(Style::Bold, &version.to_string());
    session.terminal.data(&format!("{name}: {}", session.terminal.paint(style, word)));
    match deed {
        ReviewDeed::Claim => session.terminal.note("you took its review"),
        ReviewDeed::Release => session.terminal.note("you gave its review back"),
        ReviewDeed::Comment => session.terminal.note("your comment was kept"),
        _ => {}
    }
    if deed == ReviewDeed::Approve && detail.review.state == ReviewState::Open {
        for reason in &detail.assessment.reasons {
            session.terminal.note(&format!("still held: {} [{}]", plain(&reason.text), plain(&reason.policy)));
        }
    }
    Ok(Exit::Done)
}

/// The id of the review of a version.
async fn review_of(client: &Client, version: &SkillRef) -> anyhow::Result<String> {
    let number = exact_version(version)?;
    let (publisher, slug) = match &version.publisher {
        Some(publisher) => (publisher.clone(), version.slug.clone()),
        None => full_name(client, version).await?,
    };
    let mut reference = SkillRef::new(publisher, slug);
    reference.version = Some(VersionSelector::Exact(number));
    let query = ReviewQuery { reference: Some(reference), ..ReviewQuery::default() };
    let found = client.reviews(&query).await?.items.into_iter().next();
    let none = || {
        let problem =
            Problem::new(Code::NotFound, format!("{version} has no review, or none that you may take part in"));
        Error::from_problem(problem.hint("`kontor review list` shows what waits"))
    };
    Ok(found.ok_or_else(none)?.id.to_string())
}

async fn list(client: &Client, state: Option<State>, session: &Session) -> anyhow::Result<Exit> {
    let mut query = ReviewQuery { state: state.map(Into::into), limit: Some(200), ..ReviewQuery::default() };
    let mut items = Vec::new();
    loop {
        let page = client.reviews(&query).await?;
        items.extend(page.items);
        match page.next_cursor {
            Some(cursor) if items.len() < 10_000 => query.cursor = Some(cursor),
            _ => break,
        }
    }
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "items": items }));
        return Ok(Exit::Done);
    }
    if items.is_empty() {
        terminal.note("nothing waits");
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["since", "version", "worst", "policy", "published by", "taken by"]);
    for item in items {
        let name = |handle: Option<kontor_types::Handle>| handle.map(|handle| handle.to_string()).unwrap_or_default();
        let outcome = match item.outcome {
            kontor_wire::Outcome::Quarantine => "quarantine",
            _ => "review",
        };
        table.row([
            moment(item.opened_at),
            item.reference.to_string(),
            item.severity,
            outcome.to_owned(),
            name(item.author),
            name(item.claimed_by),
        ]);
    }
    terminal.data(&table.render(terminal));
    let show = "look at one with `kontor review show @publisher/skill@1.2.0`";
    if state.is_none_or(|state| matches!(state, State::Open)) {
        terminal.note(&format!("{show}, decide with `approve` or `reject`"));
    } else {
        terminal.note(show);
    }
    Ok(Exit::Done)
}

fn show(detail: &ReviewDetail, session: &Session) {
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(detail);
        return;
    }
    terminal.data(&terminal.paint(Style::Bold, &detail.review.reference.to_string()));
    decided::show(&detail.assessment, terminal, &["none", "info", "low"]);
    if let Some(capabilities) = detail.assessment.capabilities.as_ref().and_then(serde_json::Value::as_object) {
        for (part, what) in capabilities {
            let words: Vec<&str> =
                what.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
            if !words.is_empty() {
                terminal.data(&format!("  {part}: {}", plain(&words.join(", "))));
            }
        }
    }
    for note in &detail.notes {
        let who = note.person.as_ref().map_or_else(|| "hub".to_owned(), ToString::to_string);
        let kind = serde_json::to_value(note.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
        terminal.data(&format!("{} {who} {}: {}", moment(note.at), kind.unwrap_or_default(), plain(&note.text)));
    }
}

async fn appeal(client: &Client, asked: Said, session: &Session) -> anyhow::Result<Exit> {
    let number = exact_version(&asked.version)?;
    let (publisher, slug) = full_name(client, &asked.version).await?;
    let told = client.appeal(&Name(&publisher, &slug), &number, &Appeal { comment: asked.message }).await?;
    if session.terminal.json {
        session.terminal.json(&told);
    } else {
        decided::show(&told, &session.terminal, &["none", "info", "low"]);
        if told.state != VersionState::Visible {
            session
                .terminal
                .note("your appeal waits for a reviewer; `kontor review notices` tells you what becomes of it");
        }
    }
    Ok(Exit::Done)
}

async fn notices(client: &Client, session: &Session) -> anyhow::Result<Exit> {
    let told = client.notices().await?;
    if session.terminal.json {
        session.terminal.json(&told);
        return Ok(Exit::Done);
    }
    if told.items.is_empty() {
        session.terminal.note("nothing was told to you yet");
    }
    for notice in told.items {
        let mark =
            if notice.read_at.is_none() { session.terminal.paint(Style::Bold, "new ") } else { "    ".to_owned() };
        session.terminal.data(&format!("{mark}{} {}", moment(notice.at), plain(&notice.text)));
    }
    Ok(Exit::Done)
}
