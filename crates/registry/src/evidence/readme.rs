//! The page for people: everything that the other files say, in plain words. The same files give the same page.

use std::fmt::Write as _;

use kontor_package::human_bytes;
use kontor_translog::Told;
use serde_json::Value;

use super::check::counted;
use super::{Evidence, POLICY, RUNS, last_policy};

/// Most findings that are told one by one; `evidence.json` has all.
const FINDINGS: usize = 200;

/// The page about this evidence and these statements.
pub(super) fn page(evidence: &Evidence, stories: &[Option<Told>]) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, evidence, stories);
    page
}

fn write_page(page: &mut String, evidence: &Evidence, stories: &[Option<Told>]) -> std::fmt::Result {
    let version = &evidence.version;
    writeln!(page, "# Evidence about {}\n", md(&version.reference))?;
    let viewer = evidence.viewer.as_ref();
    let viewer = viewer.map_or_else(|| "somebody who is not signed in".to_owned(), |viewer| format!("@{}", md(viewer)));
    writeln!(
        page,
        "Made at {} by {} from the hub `{}`, for {viewer}.\n",
        evidence.made_at,
        md(&evidence.made_by),
        code(&evidence.hub)
    )?;
    writeln!(
        page,
        "This page is derived from the files beside it and proves nothing by itself. `kontor verify` on the whole file checks\n\
         the bytes, every signed statement and its place in the hub's log without a network, and says what it could not check.\n"
    )?;
    in_short(page, evidence, stories)?;
    history(page, stories)?;
    scan(page, evidence)?;
    decision(page, evidence)?;
    review(page, evidence, stories)?;
    observed(page, stories)?;
    runs(page, evidence)?;
    limits(page, evidence)?;
    parts(page, evidence)
}

fn in_short(page: &mut String, evidence: &Evidence, stories: &[Option<Told>]) -> std::fmt::Result {
    let version = &evidence.version;
    writeln!(page, "## In short\n")?;
    let (files, size) = (counted(evidence.files.len(), "file"), human_bytes(version.size));
    writeln!(page, "- The bytes: `{}`, {size} in {files} (`archive.zip`).", version.digest)?;
    let state = match version.state.as_str() {
        "visible" => "admitted",
        "held" => "held: nobody but its maintainers and reviewers sees it",
        "rejected" => "rejected",
        _ => "not decided yet",
    };
    writeln!(page, "- It stands so: {state}.")?;
    if let Some(at) = version.yanked_at {
        let why = version.yank_reason.as_ref().map(|reason| format!(": {}", md(reason))).unwrap_or_default();
        writeln!(page, "- **Withdrawn** since {at}{why}.")?;
    }
    if let Some(at) = version.hidden_at {
        writeln!(page, "- **Hidden** since {at}.")?;
    }
    writeln!(page, "- Published at {}. It says of itself: {}", version.published_at, md(&version.description))?;
    match &evidence.signature {
        Some(signature) => {
            let key = code(&signature.key);
            writeln!(page, "- Signed by the publisher with the key `{key}`, taken at {}.", signature.taken_at)?;
            if let Some(from) = signature.revoked_from {
                writeln!(page, "- **The publisher revoked that key** from {from} on.")?;
            }
        }
        None => writeln!(page, "- The publisher did not sign it; the hub signs what it says of it.")?,
    }
    let license = version.license.as_ref().map_or_else(|| "none is named".to_owned(), |license| md(license));
    writeln!(page, "- Licence: {license}.")?;
    for kind in ["provenance", "scan", "decision", "review", "observed"] {
        if let Some(last) = stories.iter().flatten().rfind(|story| story.kind == kind) {
            writeln!(page, "- Last {kind}: {}.", md(&last.text))?;
        }
    }
    writeln!(page)
}

fn history(page: &mut String, stories: &[Option<Told>]) -> std::fmt::Result {
    writeln!(page, "## What the hub's log says, in its order\n")?;
    writeln!(page, "| | when | what |\n|---|---|---|")?;
    for (number, story) in (1..).zip(stories) {
        let Some(story) = story else {
            writeln!(page, "| {number} | | a statement that cannot be read |")?;
            continue;
        };
        let late = if story.backfilled { " *(said later, from the hub's own records)*" } else { "" };
        let at = story.at.as_deref().map(md).unwrap_or_default();
        writeln!(page, "| {number} | {at} | {}{late} |", md(&story.text))?;
    }
    writeln!(page)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn scan(page: &mut String, evidence: &Evidence) -> std::fmt::Result {
    writeln!(page, "## What the scanner found\n")?;
    let Some(scan) = &evidence.scan else { return writeln!(page, "There is no report of a scan in this file.\n") };
    let report = &scan.report;
    writeln!(
        page,
        "Scanned at {} by the rules `{}`: the verdict is {}.\n",
        scan.at,
        scan.rules,
        md(text(report, "verdict"))
    )?;
    let findings = list(report, "findings");
    for finding in findings.iter().take(FINDINGS) {
        let line = finding.get("line").and_then(Value::as_u64).unwrap_or(0);
        writeln!(
            page,
            "- **{}** {}:{line} {} (`{}`). {}",
            md(text(finding, "severity")),
            md(text(finding, "file")),
            md(text(finding, "message")),
            code(text(finding, "rule")),
            md(text(finding, "why"))
        )?;
        let excerpt = text(finding, "excerpt");
        if !excerpt.is_empty() {
            writeln!(page, "  The text: `{}`", code(excerpt))?;
        }
    }
    match findings.len() {
        0 => writeln!(page, "It found nothing.")?,
        many if many > FINDINGS => writeln!(page, "- {} more are in `evidence.json`.", many - FINDINGS)?,
        _ => {}
    }
    let unexamined = list(report, "unexamined");
    if unexamined.is_empty() {
        writeln!(page, "\nEvery file was examined to its end.\n")?;
    } else {
        writeln!(page, "\nNot examined:\n")?;
        for one in unexamined.iter().take(FINDINGS) {
            writeln!(page, "- {}: {}", md(text(one, "file")), md(text(one, "reason")))?;
        }
        writeln!(page)?;
    }
    Ok(())
}

fn decision(page: &mut String, evidence: &Evidence) -> std::fmt::Result {
    writeln!(page, "## Why it was decided so\n")?;
    let Some(last) = evidence.decisions.last() else {
        return writeln!(page, "The log tells of no decision.\n");
    };
    writeln!(page, "The last decision, at {}: **{}**.\n", md(text(last, "at")), md(text(last, "outcome")))?;
    for reason in list(last, "reasons") {
        writeln!(page, "- {} (policy `{}`)", md(text(reason, "text")), code(text(reason, "policy")))?;
    }
    writeln!(page, "\nIt was decided by the policy with the digest `{}`.", code(text(last, "policy")))?;
    match last_policy(evidence) {
        Some(policy) => writeln!(page, "Its text is `{POLICY}`, known on the hub as `{}`.", code(&policy.name))?,
        None => writeln!(page, "Its text is not in this file.")?,
    }
    writeln!(page, "What the policy was told about the version is in `evidence.json` under `decisions`, as `facts`.\n")
}

fn review(page: &mut String, evidence: &Evidence, stories: &[Option<Told>]) -> std::fmt::Result {
    writeln!(page, "## Who looked at it\n")?;
    if let Some(review) = &evidence.review {
        writeln!(page, "The review is {}.\n", md(&review.state))?;
        for note in &review.notes {
            let by = note.by.as_ref().map_or_else(|| "the hub".to_owned(), |by| format!("@{}", md(by)));
            let words = if note.text.is_empty() { String::new() } else { format!(": {}", md(&note.text)) };
            writeln!(page, "- {} {by}: {}{words}", note.at, md(&note.kind))?;
        }
        return writeln!(page);
    }
    if stories.iter().flatten().any(|story| story.kind == "review") {
        return writeln!(page, "People did; the list above names them. Their words are not in this file.\n");
    }
    writeln!(page, "The log tells of no person who decided about it.\n")
}

/// What was said last of what runs did; the list above has when more was seen.
fn observed(page: &mut String, stories: &[Option<Told>]) -> std::fmt::Result {
    writeln!(page, "## What runs of it were seen to do\n")?;
    let Some(last) = stories.iter().flatten().filter(|story| story.kind == "observed").max_by_key(|story| &story.at)
    else {
        return writeln!(page, "This reader is told of no run on the hub.\n");
    };
    writeln!(page, "{}:\n", md(&last.text))?;
    for detail in &last.details {
        writeln!(page, "- {}", md(detail))?;
    }
    writeln!(page)
}

/// Who ran it, and who let it run.
fn runs(page: &mut String, evidence: &Evidence) -> std::fmt::Result {
    writeln!(page, "## Runs of it\n")?;
    if evidence.runs.is_empty() {
        return writeln!(page, "There is no receipt of a run in this file.\n");
    }
    writeln!(page, "| when | who | what | let run by | ended |\n|---|---|---|---|---|")?;
    for run in &evidence.runs {
        let decision = &run.decision;
        let who = match text(&run.runner, "person") {
            "" => "not said".to_owned(),
            person => format!("@{}", md(person)),
        };
        writeln!(
            page,
            "| {} | {who} | {} | {} under `{}`, consent: {} | {} |",
            md(run.started_at.as_str().unwrap_or_default()),
            md(text(&run.entry, "name")),
            md(text(decision, "by")),
            code(text(decision, "under")),
            md(text(decision, "consent")),
            md(text(&run.exit, "outcome"))
        )?;
    }
    writeln!(page, "\n`{RUNS}` has the signed receipts, with their proofs of being in the log.\n")
}

fn limits(page: &mut String, evidence: &Evidence) -> std::fmt::Result {
    writeln!(page, "## What this file does not show\n")?;
    for withheld in &evidence.withheld {
        writeln!(page, "- Not for this reader: {}.", md(withheld))?;
    }
    writeln!(
        page,
        "- Whether the scanner is right. Its report is what it found by its rules, not that nothing else is there.\n\
         - What happened after this file was made, such as a withdrawal: ask the hub.\n\
         - Runs that this reader may not see: who asked for a run sees it, and who administers the publisher in whose name it ran.\n\
         - Who the people behind the handles are: the hub knows them by their sign-in.\n\
         - Whose the keys are: compare them with the hub's `/log/keys`, got by another way.\n"
    )
}

fn parts(page: &mut String, evidence: &Evidence) -> std::fmt::Result {
    writeln!(page, "## The files\n")?;
    writeln!(page, "| file | what |\n|---|---|")?;
    writeln!(page, "| `archive.zip` | the version's bytes in canonical form; their SHA-256 is its identity |")?;
    writeln!(page, "| `evidence.json` | the facts on this page, with the whole scan report |")?;
    if last_policy(evidence).is_some() {
        writeln!(page, "| `{POLICY}` | the policy that decided last, in the Cedar language |")?;
    }
    writeln!(page, "| `proof.json` | the signed statements with their proofs of being in the log |")?;
    if !evidence.runs.is_empty() {
        writeln!(page, "| `{RUNS}` | receipts of runs that this reader may see, with their proofs |")?;
    }
    writeln!(
        page,
        "| `sbom.cdx.json` | what the version is made of and asks for (CycloneDX 1.6), derived from its bytes |"
    )
}

/// Other people's words in Markdown: one line, of which nothing is markup.
fn md(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        match char {
            // An address is not to become a link.
            ':' if !text.get(at..).is_some_and(|rest| rest.starts_with(":/")) => safe.push(':'),
            char if char.is_control() || kontor_package::is_invisible(char) => safe.push(' '),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '&' | ':' => {
                safe.push('\\');
                safe.push(char);
            }
            other => safe.push(other),
        }
    }
    safe
}

/// Other people's words as code: one line without the sign that would end it.
fn code(text: &str) -> String {
    let plain = |char: char| match char {
        '`' => '\'',
        '|' => '¦',
        char if char.is_control() || kontor_package::is_invisible(char) => ' ',
        other => other,
    };
    text.chars().map(plain).collect()
}
