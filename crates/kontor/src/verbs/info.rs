//! `kontor info`: all about one skill.

use kontor_client::{Client, Name};
use kontor_types::SkillRef;
use kontor_wire::{
    Assessment, ObservedBehaviour, PageQuery, ReviewState, ScanFinding, Signer, Skill, Verdict, VersionDetail,
    VersionState, VersionSummary,
};
use serde_json::json;

use crate::amounts::{count, moment, size};
use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::{Style, plain, plain_lines};
use crate::verbs::{decided, show_finding};

/// The most findings of a version that are shown.
const MOST_FINDINGS: usize = 5;
/// The most things of one kind that runs were seen to do.
const SHOWN: usize = 8;

/// Show a skill
///
/// `@publisher/skill` shows the newest version, `@publisher/skill@1.2.0` exactly one; `skill` alone works when only one
/// has that name.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which skill
    #[arg(value_name = "REF")]
    reference: SkillRef,
    /// List the versions
    #[arg(long)]
    versions: bool,
    /// List the files
    #[arg(long)]
    files: bool,
    /// Print the skill's text
    #[arg(long, conflicts_with_all = ["versions", "files"])]
    text: bool,
}

/// Asks the hub and shows the skill.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let skill = client.skill(args.reference.publisher.as_ref(), &args.reference.slug).await?;
    let name = Name(&skill.summary.publisher, &skill.summary.slug);
    let selector = args.reference.version.as_ref().map_or_else(|| "latest".to_owned(), ToString::to_string);
    let version = match (&args.reference.version, &skill.latest_version) {
        (None, Some(latest)) => Some(latest.clone()),
        (None, None) => not_admitted(&client, &name).await?,
        (Some(_), _) => Some(client.version(&name, &selector).await?),
    };
    let number = version.as_ref().map_or(selector, |version| version.summary.version.to_string());
    if args.text {
        return text(&client, &name, &number, version.as_ref(), session).await;
    }
    // Who may see a version may see what was found in it.
    let assessment = match &version {
        Some(version) => Some(client.assessment(&name, &version.summary.version).await?),
        None => None,
    };
    // A hub of before runs says nothing of them.
    let observed = match &version {
        Some(_) => client.observed(&name, &number).await.ok(),
        None => None,
    };
    let versions = if args.versions { Some(all_versions(&client, &name).await?) } else { None };
    let files = if args.files { Some(client.files(&name, &number).await?) } else { None };
    let terminal = &session.terminal;
    if terminal.json {
        let files = files.map(|files| files.items);
        terminal.json(&json!({
            "skill": skill, "version": version, "assessment": assessment, "versions": versions, "files": files,
            "observed": observed,
        }));
        return Ok(Exit::Done);
    }
    terminal.data(&describe(&skill, version.as_ref().zip(assessment.as_ref()), session));
    for line in observed.iter().flat_map(|observed| behaved(observed, session)) {
        terminal.data(&line);
    }
    if let Some(versions) = versions {
        let mut table = Table::titled(&["version", "published", "digest", "note"]);
        for version in versions {
            let note = note(&version);
            let digest = version.digest.short(12);
            table.row([version.version.to_string(), version.created_at.day().to_string(), digest, note]);
        }
        terminal.data(&format!("\n{}", table.render(terminal)));
    }
    if let Some(files) = files {
        let mut table = Table::titled(&["bytes", "file"]);
        for file in files.items {
            table.row([file.size.to_string(), file.path]);
        }
        terminal.data(&format!("\n{}", table.render(terminal)));
    }
    Ok(Exit::Done)
}

/// What a version asks for, what it was granted in runs, and what it was seen to do: a line for each.
fn behaved(observed: &ObservedBehaviour, session: &Session) -> Vec<String> {
    const GRANTED: &[(&str, &str)] = &[("granted", "connections to"), ("given", "the secrets")];
    const SEEN: &[(&str, &str)] = &[
        ("started", "was started as"),
        ("connected", "connected to"),
        ("refused", "was refused connections to"),
        ("wrote", "left files:"),
        ("ended", "ended so:"),
        ("wanted_host", "said that it misses the hosts"),
        ("wanted_variable", "said that it misses the variables"),
        ("wanted_program", "said that it misses the programs"),
    ];
    let declared: Vec<&str> =
        observed.declared.network.iter().chain(&observed.declared.secrets).map(String::as_str).collect();
    let declared = if declared.is_empty() { "no network, no secrets".to_owned() } else { declared.join(", ") };
    let of = |kinds: &[(&str, &str)]| -> Vec<String> {
        let one = |(kind, words): &(&str, &str)| {
            let items = observed.items.iter().filter(|one| one.kind == *kind);
            let name =
                |name: &Option<String>| name.clone().unwrap_or_else(|| "others that its files do not name".to_owned());
            let names: Vec<String> =
                items.take(SHOWN).map(|one| format!("{} ({})", name(&one.name), count(one.runs, "run"))).collect();
            (!names.is_empty()).then(|| format!("{words} {}", names.join(", ")))
        };
        kinds.iter().filter_map(one).collect()
    };
    let granted = of(GRANTED);
    let granted = if granted.is_empty() { "no network, no secrets".to_owned() } else { granted.join("; ") };
    let line = |name: &str, value: &str| {
        format!("{}{}", session.terminal.paint(Style::Dim, &format!("{name:<13}")), plain(value))
    };
    if observed.runs == 0 {
        return vec![line("declared", &declared), line("observed", "no run on this hub that you may see")];
    }
    let head = format!("in {} on this hub: {}", count(observed.runs, "run"), of(SEEN).join("; "));
    vec![line("declared", &declared), line("granted", &granted), line("observed", &head)]
}

/// What is to be said of a version in a list: that it is not admitted; that it was withdrawn and why; else what changed.
fn note(version: &VersionSummary) -> String {
    let changed = version.changelog.lines().next().unwrap_or_default().to_owned();
    let said = withdrawn(version).map_or(changed, |why| format!("withdrawn: {why}"));
    let state = match version.state {
        VersionState::Visible => return said,
        VersionState::Pending => "not decided yet",
        VersionState::Held => "held: not admitted",
        VersionState::Rejected => "rejected",
    };
    if said.is_empty() { state.to_owned() } else { format!("{state}; {said}") }
}

/// What was decided about a version, and for which reasons where it was not admitted.
fn decision(item: &Assessment) -> String {
    let (word, _) = decided::standing(item);
    if item.state == VersionState::Visible {
        let found = item.verdict.is_some_and(|verdict| verdict != Verdict::Clean);
        let how = match item.review {
            Some(ReviewState::Approved) => " by a person in its review",
            _ if found => ", although the scanner does not call it clean",
            _ => "",
        };
        return format!("{word}{how}");
    }
    let reasons: Vec<String> =
        item.reasons.iter().map(|reason| format!("{} [{}]", reason.text, reason.policy)).collect();
    if reasons.is_empty() { word.to_owned() } else { format!("{word}: {}", reasons.join("; ")) }
}

/// The gravest thing that was found, with its place.
fn worst(item: &Assessment) -> String {
    let grave = |finding: &&ScanFinding| !matches!(finding.severity.as_str(), "none" | "info" | "low");
    let Some(finding) = item.findings.iter().find(grave) else { return String::new() };
    let place = if finding.line == 0 { finding.file.clone() } else { format!("{}:{}", finding.file, finding.line) };
    format!("{}: {place}: {} [{}]", finding.severity, finding.message, finding.rule)
}

/// Who signed a version, and whether that counts.
fn signer(signer: &Signer) -> String {
    let whose = format!("@{} with the key {}", signer.publisher, signer.key_id);
    match signer.revoked_at.filter(|_| !signer.valid) {
        Some(from) => format!("{whose}, which was revoked from {from} on: do not believe it"),
        None => whose,
    }
}

/// Why a version was withdrawn, or when, where nobody said why.
fn withdrawn(version: &VersionSummary) -> Option<String> {
    let at = version.yanked_at?;
    let reason = version.yank_reason.clone().filter(|reason| !reason.is_empty());
    Some(reason.unwrap_or_else(|| at.day().to_string()))
}

async fn text(
    client: &Client,
    name: &Name<'_>,
    number: &str,
    version: Option<&VersionDetail>,
    session: &Session,
) -> anyhow::Result<Exit> {
    let file = version.map_or("SKILL.md", |version| version.skill_file.as_str());
    let bytes = client.file(name, number, file, 16 << 20).await?;
    let text = String::from_utf8_lossy(&bytes);
    if session.terminal.json {
        session.terminal.json(&json!({"file": file, "version": number, "text": text}));
    } else if session.terminal.is_person() {
        session.terminal.data(plain_lines(&text).trim_end());
    } else {
        session.terminal.data(text.trim_end());
    }
    Ok(Exit::Done)
}

/// The newest version that is not admitted, as far as the caller may see it, of a skill that has nothing else to show.
async fn not_admitted(client: &Client, name: &Name<'_>) -> anyhow::Result<Option<VersionDetail>> {
    let page = client.versions(name, &PageQuery { cursor: None, limit: Some(20) }).await?;
    let kept = page.items.iter().find(|version| version.state != VersionState::Visible);
    Ok(match kept {
        Some(version) => Some(client.version(name, &version.version.to_string()).await?),
        None => None,
    })
}

async fn all_versions(client: &Client, name: &Name<'_>) -> anyhow::Result<Vec<VersionSummary>> {
    let mut query = PageQuery { cursor: None, limit: Some(200) };
    let mut versions = Vec::new();
    loop {
        let page = client.versions(name, &query).await?;
        versions.extend(page.items);
        match page.next_cursor {
            Some(cursor) if versions.len() < 10_000 => query.cursor = Some(cursor),
            _ => return Ok(versions),
        }
    }
}

fn describe(skill: &Skill, found: Option<(&VersionDetail, &Assessment)>, session: &Session) -> String {
    let version = found.map(|(version, _)| version);
    let terminal = &session.terminal;
    let summary = &skill.summary;
    let description = version.map_or(&summary.description, |version| &version.description);
    let derived = if version.map_or(summary.description_derived, |version| version.description_derived) {
        " (taken from the text)"
    } else {
        ""
    };
    let name =
        if summary.name == summary.slug.as_str() { String::new() } else { format!("  {}", plain(&summary.name)) };
    let mut lines = vec![
        format!("{}{name}", terminal.paint(Style::Bold, &summary.reference.to_string())),
        format!("{}{derived}", plain_lines(description.trim())),
        String::new(),
    ];
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{}{}", terminal.paint(Style::Dim, &format!("{name:<13}")), plain(&value)));
        }
    };
    if let Some(deprecation) = &summary.deprecation {
        let successor = deprecation.successor.as_ref().map(|next| format!("; use {next}")).unwrap_or_default();
        fact("deprecated", format!("{}{successor}", deprecation.message));
    }
    if let Some((version, assessment)) = found {
        fact("version", version.summary.version.to_string());
        fact("scan", decided::verdict(assessment));
        fact("worst", worst(assessment));
        fact("decision", decision(assessment));
        fact("withdrawn", withdrawn(&version.summary).unwrap_or_default());
        fact("digest", version.summary.digest.to_string());
        let summary = &version.summary;
        fact("size", format!("{} in {}", size(summary.size), count(summary.file_count, "file")));
        fact("published", moment(summary.created_at));
        fact("signed by", version.signer.as_ref().map(signer).unwrap_or_default());
        if let Some(original) = &version.copy_of {
            let share = if original.exact {
                "the same files".to_owned()
            } else {
                format!("{} % of its text", original.likeness)
            };
            fact("copy of", format!("{}, {share}", original.reference));
        }
        let requires: Vec<String> =
            version.requires.iter().map(|need| format!("{} {}", need.reference, need.range)).collect();
        fact("requires", requires.join(", "));
        if let Some(origin) = &version.origin {
            // Most addresses say their kind themselves.
            let kind = Some(&origin.kind).filter(|kind| !origin.url.iter().any(|url| url.starts_with(kind.as_str())));
            let parts = [kind, origin.url.as_ref(), origin.commit.as_ref(), origin.path.as_ref()];
            fact("origin", parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" "));
            if let Some(before) = &origin.before {
                fact("before that", before.clone());
            }
        }
    }
    fact("licence", summary.license.clone().unwrap_or_default());
    fact("visibility", summary.visibility.to_string());
    fact("keywords", skill.keywords.join(", "));
    fact("tags", skill.tags.iter().map(|tag| format!("{}={}", tag.tag, tag.version)).collect::<Vec<_>>().join(" "));
    let counts = summary.counts;
    fact(
        "used",
        [(counts.installs, "install"), (counts.downloads, "download"), (counts.stars, "star")]
            .map(|(number, noun)| count(number, noun))
            .join(", "),
    );
    let valid = if summary.spec_valid { "valid by the open format" } else { "accepted; not valid by the open format" };
    fact("format", valid.to_owned());
    fact("page", skill.page_url.clone().unwrap_or_default());
    for finding in version.iter().flat_map(|version| &version.findings).take(MOST_FINDINGS) {
        lines.push(format!("  {}", show_finding(finding)));
    }
    lines.join("\n")
}
