//! Verbs that change a skill after it was published.

use clap::Subcommand;
use kontor_client::Name;
use kontor_types::{Handle, SkillRef, Slug, TagName, TransferId, Visibility};
use kontor_wire::{
    Deletion, Deprecation, NewReport, NewTransfer, Reason, Rename, SkillChange, TransferDirection, TransferQuery,
    TransferState,
};
use serde::Serialize;
use serde_json::json;

use crate::amounts::count;
use crate::exit::{Exit, UsageError};
use crate::session::Session;
use crate::table::Table;
use crate::verbs::{confirm, exact_version, full_name};

/// What to change.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Withdraw a version; only lock files that name it still get it
    Yank {
        /// Which version: `@publisher/skill@1.2.3`
        #[arg(value_name = "REF")]
        reference: SkillRef,
        /// Why, for those who use it
        #[arg(long)]
        reason: Option<String>,
        /// Bring a withdrawn version back
        #[arg(long, conflicts_with = "reason")]
        undo: bool,
    },
    /// Mark a skill as no longer to be used
    Deprecate {
        /// Which skill
        #[arg(value_name = "REF")]
        reference: SkillRef,
        /// What users should know
        #[arg(long, required_unless_present = "undo")]
        message: Option<String>,
        /// What to use in its place
        #[arg(long, value_name = "REF")]
        successor: Option<SkillRef>,
        /// Take the mark away
        #[arg(long, conflicts_with_all = ["message", "successor"])]
        undo: bool,
    },
    /// Point a tag to a version, take it away, or list the tags
    Tag {
        /// Which skill; with a version to point the tag to it
        #[arg(value_name = "REF")]
        reference: SkillRef,
        /// The tag; all are listed without one
        tag: Option<TagName>,
        /// Take the tag away
        #[arg(long, requires = "tag")]
        remove: bool,
    },
    /// Delete a skill; `undelete` brings it back for 30 days
    Delete {
        /// Which skill
        #[arg(value_name = "REF")]
        reference: SkillRef,
        /// Why, for the audit trail
        #[arg(long)]
        reason: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Bring a deleted skill back
    Undelete {
        /// Which skill
        #[arg(value_name = "REF")]
        reference: SkillRef,
    },
    /// Say who may see a skill: public, unlisted, organisation, private
    Visibility {
        /// Which skill
        #[arg(value_name = "REF")]
        reference: SkillRef,
        /// Who may see it
        visibility: Visibility,
    },
    /// Give a skill another name; the old one leads to it
    Rename {
        /// Which skill
        #[arg(value_name = "REF")]
        reference: SkillRef,
        /// Its new name
        slug: Slug,
    },
    /// Hand a skill to another publisher
    Transfer(TransferArgs),
    /// Star a skill
    Star {
        /// Which skill
        #[arg(value_name = "REF")]
        reference: SkillRef,
        /// Take the star away
        #[arg(long)]
        undo: bool,
    },
    /// Report a skill that does harm
    Report {
        /// Which skill, with a version where it is about one
        #[arg(value_name = "REF")]
        reference: SkillRef,
        /// What is wrong with it
        #[arg(long)]
        reason: String,
    },
}

/// Hand a skill to another publisher
#[derive(Debug, clap::Args)]
pub struct TransferArgs {
    #[command(subcommand)]
    action: TransferAction,
}

#[derive(Debug, Subcommand)]
enum TransferAction {
    /// Offer a skill to another publisher
    Offer {
        /// Which skill
        #[arg(value_name = "REF")]
        reference: SkillRef,
        /// Who shall own it
        #[arg(long)]
        to: Handle,
        /// What to tell them
        #[arg(long, default_value = "")]
        message: String,
    },
    /// List pending offers
    List {
        /// Those you made, not those made to you
        #[arg(long)]
        outgoing: bool,
    },
    /// Take an offered skill
    Accept {
        /// The offer's id
        #[arg(value_parser = crate::verbs::id::<TransferId>)]
        id: TransferId,
    },
    /// Refuse an offered skill
    Reject {
        /// The offer's id
        #[arg(value_parser = crate::verbs::id::<TransferId>)]
        id: TransferId,
    },
    /// Take an offer back
    Cancel {
        /// The offer's id
        #[arg(value_parser = crate::verbs::id::<TransferId>)]
        id: TransferId,
    },
}

/// Does what was asked.
pub async fn run(verb: Verb, session: &Session) -> anyhow::Result<Exit> {
    match verb {
        Verb::Transfer(args) => return transfer(args.action, session).await,
        Verb::Tag { reference, tag, remove } => return tag_skill(&reference, tag, remove, session).await,
        _ => {}
    }
    let client = session.client()?;
    match verb {
        Verb::Yank { reference, reason, undo } => {
            let (publisher, slug) = full_name(&client, &reference).await?;
            let (name, version) = (Name(&publisher, &slug), exact_version(&reference)?);
            let (changed, state) = if undo {
                (client.restore(&name, &version).await?, "back")
            } else {
                (client.yank(&name, &version, &Reason { reason }).await?, "withdrawn")
            };
            tell(session, &format!("@{publisher}/{slug}@{version} is {state}"), &changed);
        }
        Verb::Deprecate { reference, message, successor, undo } => {
            let deprecation = message.map(|message| Deprecation { message, successor });
            let change = SkillChange { deprecation, undeprecate: undo, ..SkillChange::default() };
            change_skill(session, &reference, &change, if undo { "is no longer deprecated" } else { "is deprecated" })
                .await?;
        }
        Verb::Visibility { reference, visibility } => {
            let change = SkillChange { visibility: Some(visibility), ..SkillChange::default() };
            change_skill(session, &reference, &change, &format!("is {visibility}")).await?;
        }
        Verb::Delete { reference, reason, yes } => {
            let (publisher, slug) = full_name(&client, &reference).await?;
            if !confirm(session, yes, &format!("Delete @{publisher}/{slug} with all its versions?"))? {
                return Ok(Exit::Failed);
            }
            let deleted = client.delete_skill(&Name(&publisher, &slug), &Deletion { reason }).await?;
            let until = deleted.reserved_until.day();
            tell(
                session,
                &format!("{0} is deleted; `kontor undelete {0}` brings it back until {until}", deleted.reference),
                &deleted,
            );
        }
        Verb::Undelete { reference } => {
            let publisher = owner(&reference)?;
            let skill = client.restore_skill(&Name(publisher, &reference.slug)).await?;
            tell(session, &format!("{} is back", skill.summary.reference), &skill);
        }
        Verb::Rename { reference, slug } => {
            let (publisher, old) = full_name(&client, &reference).await?;
            let skill = client.rename_skill(&Name(&publisher, &old), &Rename { slug }).await?;
            tell(session, &format!("@{publisher}/{old} is now {}", skill.summary.reference), &skill);
        }
        Verb::Star { reference, undo } => {
            let (publisher, slug) = full_name(&client, &reference).await?;
            let starred = client.star(&Name(&publisher, &slug), !undo).await?;
            tell(session, &format!("@{publisher}/{slug} has {}", count(starred.stars, "star")), &starred);
        }
        Verb::Report { reference, reason } => {
            let (publisher, slug) = full_name(&client, &reference).await?;
            let version = reference.version.is_some().then(|| exact_version(&reference)).transpose()?;
            let report = client.report(&Name(&publisher, &slug), &NewReport { reason, version }).await?;
            tell(session, &format!("thank you; the hub's administrators see it as report {}", report.id), &report);
        }
        Verb::Transfer(_) | Verb::Tag { .. } => {}
    }
    Ok(Exit::Done)
}

fn tell(session: &Session, text: &str, answer: &impl Serialize) {
    if session.terminal.json {
        session.terminal.json(answer);
    } else {
        session.terminal.note(text);
    }
}

fn owner(reference: &SkillRef) -> Result<&Handle, UsageError> {
    let missing = || UsageError(format!("name the publisher too: @publisher/{}", reference.slug));
    reference.publisher.as_ref().ok_or_else(missing)
}

async fn change_skill(session: &Session, reference: &SkillRef, change: &SkillChange, told: &str) -> anyhow::Result<()> {
    let client = session.client()?;
    let (publisher, slug) = full_name(&client, reference).await?;
    let skill = client.change_skill(&Name(&publisher, &slug), change).await?;
    tell(session, &format!("{} {told}", skill.summary.reference), &skill);
    Ok(())
}

async fn tag_skill(
    reference: &SkillRef,
    tag: Option<TagName>,
    remove: bool,
    session: &Session,
) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let (publisher, slug) = full_name(&client, reference).await?;
    let name = Name(&publisher, &slug);
    let Some(tag) = tag else {
        let tags = client.tags(&name).await?;
        if session.terminal.json {
            session.terminal.json(&tags);
            return Ok(Exit::Done);
        }
        if tags.items.is_empty() {
            session.terminal.note(&format!("@{publisher}/{slug} has no tags"));
            return Ok(Exit::Done);
        }
        let mut table = Table::titled(&["tag", "version", "since"]);
        for tag in tags.items {
            table.row([tag.tag.to_string(), tag.version.to_string(), tag.updated_at.day().to_string()]);
        }
        session.terminal.data(&table.render(&session.terminal));
        return Ok(Exit::Done);
    };
    if remove {
        client.remove_tag(&name, &tag).await?;
        tell(session, &format!("@{publisher}/{slug} has no tag {tag} any more"), &json!({"tag": tag, "removed": true}));
    } else {
        let version = exact_version(reference)?;
        let set = client.set_tag(&name, &tag, &version).await?;
        tell(session, &format!("{tag} of @{publisher}/{slug} is {version}"), &set);
    }
    Ok(Exit::Done)
}

async fn transfer(action: TransferAction, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let (id, decision) = match action {
        TransferAction::Offer { reference, to, message } => {
            let (publisher, slug) = full_name(&client, &reference).await?;
            let offer = client.offer_transfer(&Name(&publisher, &slug), &NewTransfer { to, message }).await?;
            let told = match offer.state {
                TransferState::Accepted => format!("@{publisher}/{slug} belongs to @{} now", offer.to),
                _ => format!(
                    "offered to @{to}; it moves when they say: kontor transfer accept {id}",
                    to = offer.to,
                    id = offer.id
                ),
            };
            tell(session, &told, &offer);
            return Ok(Exit::Done);
        }
        TransferAction::List { outgoing } => {
            let direction = if outgoing { TransferDirection::Outgoing } else { TransferDirection::Incoming };
            let offers = client.transfers(&TransferQuery { direction }).await?;
            if session.terminal.json {
                session.terminal.json(&offers);
                return Ok(Exit::Done);
            }
            if offers.items.is_empty() {
                let other = if outgoing { "" } else { "; `--outgoing` shows those that you made" };
                session.terminal.note(&format!("no offers are pending{other}"));
                return Ok(Exit::Done);
            }
            let mut table = Table::titled(&["id", "skill", "from", "to", "message"]);
            for offer in offers.items {
                let (from, to) = (format!("@{}", offer.from), format!("@{}", offer.to));
                table.row([offer.id.to_string(), offer.reference.to_string(), from, to, offer.message]);
            }
            session.terminal.data(&table.render(&session.terminal));
            return Ok(Exit::Done);
        }
        TransferAction::Accept { id } => (id, "accept"),
        TransferAction::Reject { id } => (id, "reject"),
        TransferAction::Cancel { id } => (id, "cancel"),
    };
    let offer = client.decide_transfer(id, decision).await?;
    let told = match offer.state {
        TransferState::Pending => "is still offered".to_owned(),
        TransferState::Accepted => format!("belongs to @{} now", offer.to),
        TransferState::Rejected | TransferState::Cancelled => format!("stays with @{}", offer.from),
    };
    tell(session, &format!("{} {told}", offer.reference), &offer);
    Ok(Exit::Done)
}
