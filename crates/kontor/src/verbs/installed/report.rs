//! What was found, for people and for programs.

use kontor_client::LockedSigner;
use kontor_wire::{CopyItem, Standing};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Asked, Copy, Folder, Looked, StrayCopy};
use crate::amounts::{count, moment};
use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::{Style, plain};

/// Most names of changed files that are told to people.
const MOST_NAMES: usize = 10;

/// One thing that needs attention.
#[derive(Debug, Serialize)]
struct Problem {
    /// What it is, in a word that stays.
    code: &'static str,
    /// What it is, for people.
    message: String,
}

fn problem(code: &'static str, message: impl Into<String>) -> Problem {
    Problem { code, message: message.into() }
}

/// Lists everything.
pub fn list(places: &[Looked], session: &Session) {
    let terminal = &session.terminal;
    if terminal.json {
        let items: Vec<Value> =
            places.iter().flat_map(|place| place.copies.iter().map(|copy| as_json(place, copy))).collect();
        let strays: Vec<Value> =
            places.iter().flat_map(|place| place.strays.iter().map(|stray| stray_as_json(place, stray))).collect();
        terminal.json(&json!({ "items": items, "untracked": strays }));
        return;
    }
    let mut table = Table::titled(&["skill", "version", "hub", "folder", "state"]);
    let mut rows = 0;
    for place in places {
        for copy in &place.copies {
            for folder in &copy.folders {
                let locked = &copy.locked;
                let (name, version) = (locked.reference.to_string(), locked.version.to_string());
                let state = folder.state(locked.digest).to_owned();
                table.row([name, version, locked.registry.clone(), place.show(&folder.path), state]);
                rows += 1;
            }
        }
        for stray in &place.strays {
            let none = || "-".to_owned();
            table.row([none(), none(), none(), place.show(&stray.stray.folder), "in no lock file".to_owned()]);
            rows += 1;
        }
    }
    if rows == 0 {
        terminal.note("nothing is installed here; `kontor install @publisher/skill` does that");
    } else {
        terminal.data(&table.render(terminal));
    }
}

/// Tells what a check has found.
pub fn checked(places: &[Looked], hubs: &[Asked], session: &Session) -> Exit {
    let terminal = &session.terminal;
    let mut troubled = hubs.iter().filter(|hub| hub.distrusted).count() as u64;
    let (mut items, mut untracked, mut copies, mut unknown) = (Vec::new(), Vec::new(), 0, 0);
    for place in places {
        for copy in &place.copies {
            copies += 1;
            let problems = problems(place, copy);
            troubled += u64::from(!problems.is_empty());
            if terminal.json {
                let mut item = as_json(place, copy);
                item["problems"] = json!(problems);
                item["checked"] = json!(copy.told.is_some());
                items.push(item);
            } else {
                let title = format!("{}@{}", copy.locked.reference, copy.locked.version);
                show(&title, &problems, copy.told.as_ref(), session);
            }
        }
        for stray in &place.strays {
            let problems = stray_problems(place, stray);
            troubled += u64::from(!problems.is_empty());
            unknown += u64::from(stray.told.is_none());
            if terminal.json {
                let mut item = stray_as_json(place, stray);
                item["problems"] = json!(problems);
                untracked.push(item);
            } else {
                show(&place.show(&stray.stray.folder), &problems, None, session);
            }
        }
    }
    let silent = hubs.iter().any(|hub| !hub.checked);
    if terminal.json {
        let ok = troubled == 0 && !silent;
        terminal.json(&json!({ "ok": ok, "hubs": hubs, "items": items, "untracked": untracked }));
    } else {
        conclude(hubs, (copies, troubled, unknown), session);
    }
    match (troubled, hubs.iter().any(|hub| !hub.checked && hub.code != Some("offline"))) {
        (1.., _) => Exit::Attention,
        (0, true) => Exit::Unreachable,
        (0, false) => Exit::Done,
    }
}

fn conclude(hubs: &[Asked], (copies, troubled, unknown): (u64, u64, u64), session: &Session) {
    let terminal = &session.terminal;
    for hub in hubs.iter().filter(|hub| !hub.checked) {
        let why = hub.error.clone().unwrap_or_default();
        let not = "whether its copies are still served, and what it says of them, is not checked";
        terminal.warn(&format!("{}: {}; {not}", plain(&hub.registry), plain(&why)));
    }
    if unknown > 0 {
        let are = if unknown == 1 { "is" } else { "are" };
        terminal.note(&format!(
            "{} in agents' folders {are} in no lock file and on no hub that was asked",
            skills(unknown)
        ));
    }
    let asked = hubs.iter().filter(|hub| hub.checked).count() as u64;
    let text = match (copies, troubled) {
        (0, 0) => "nothing is installed here".to_owned(),
        (_, 0) if asked == hubs.len() as u64 => {
            format!("{} whole, and as their hubs say", count(copies, "copy").replace("copys", "copies"))
        }
        (_, 0) => format!("{} whole on the disk", count(copies, "copy").replace("copys", "copies")),
        (_, 1) => "1 thing needs attention".to_owned(),
        _ => format!("{} need attention", count(troubled, "thing")),
    };
    let style = if troubled == 0 { Style::Green } else { Style::Red };
    terminal.data(&terminal.paint(style, &text));
}

fn skills(number: u64) -> String {
    count(number, "skill")
}

fn show(title: &str, problems: &[Problem], told: Option<&CopyItem>, session: &Session) {
    let terminal = &session.terminal;
    let notes = told.map(notes).unwrap_or_default();
    if problems.is_empty() && notes.is_empty() {
        return;
    }
    terminal.data(&terminal.paint(Style::Bold, &plain(title)));
    for problem in problems {
        terminal.data(&format!("  {} {}", terminal.paint(Style::Red, problem.code), plain(&problem.message)));
    }
    for note in notes {
        terminal.data(&format!("  {}", terminal.paint(Style::Dim, &plain(&note))));
    }
}

/// What is worth knowing and no problem.
fn notes(told: &CopyItem) -> Vec<String> {
    let mut notes = Vec::new();
    let newer = |version: &Option<kontor_types::Version>| {
        version.clone().filter(|version| Some(version) != told.version.as_ref())
    };
    if let Some(wanted) = newer(&told.wanted) {
        notes.push(format!("{wanted} is there; `kontor update` installs it"));
    } else if let Some(latest) = newer(&told.latest) {
        notes.push(format!("{latest} is there, outside of what was asked for"));
    }
    if let Some(deprecation) = &told.deprecation {
        let successor = deprecation.successor.as_ref().map(|next| format!("; use {next}")).unwrap_or_default();
        notes.push(format!("deprecated: {}{successor}", deprecation.message));
    }
    notes
}

fn problems(place: &Looked, copy: &Copy) -> Vec<Problem> {
    let mut problems: Vec<Problem> =
        copy.folders.iter().filter_map(|folder| folder_problem(place, copy, folder)).collect();
    problems.extend(copy.told.as_ref().and_then(standing_problem));
    problems.extend(copy.told.as_ref().and_then(|told| signer_problem(told, copy.locked.signer.as_ref())));
    problems
}

/// What is wrong with who signed a copy; `pinned` is who the lock file says, if one names the copy.
fn signer_problem(told: &CopyItem, pinned: Option<&LockedSigner>) -> Option<Problem> {
    // Of a version that the hub has no more, or with other bytes, it names no signer of this copy.
    if matches!(told.standing, Standing::Deleted | Standing::Replaced | Standing::Unknown) {
        return None;
    }
    match (pinned, &told.signer) {
        (_, Some(signer)) if !signer.valid => {
            let since = signer.revoked_at.map(|at| format!(" from {} on", moment(at))).unwrap_or_default();
            let text =
                format!("the key of @{} that signed it is not to be believed{since}; do not use it", signer.publisher);
            Some(problem("signer_revoked", text))
        }
        (Some(_), None) => {
            Some(problem("unsigned", "it was signed when it was installed, and the hub shows no signature now"))
        }
        (Some(pinned), Some(signer)) if pinned.key != signer.public_key => {
            Some(problem("signer_changed", "the hub shows another signer than the one of the lock file"))
        }
        _ => None,
    }
}

fn stray_problems(place: &Looked, stray: &StrayCopy) -> Vec<Problem> {
    let Some(told) = &stray.told else { return Vec::new() };
    let name = told.reference.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut found: Vec<Problem> = standing_problem(told).into_iter().chain(signer_problem(told, None)).collect();
    for problem in &mut found {
        problem.message = format!("{name}: {}", problem.message);
    }
    if let Some(to) = &stray.moved_to {
        found.push(problem("moved", format!("moved to {}", place.show(to))));
    }
    found
}

fn folder_problem(place: &Looked, copy: &Copy, folder: &Folder) -> Option<Problem> {
    let shown = place.show(&folder.path);
    if let Some(to) = &folder.moved_to {
        return Some(problem(
            "moved",
            format!("{shown} is in {} now; `kontor remove` takes it off the list", place.show(to)),
        ));
    }
    match folder.state(copy.locked.digest) {
        "missing" => Some(problem("missing", format!("{shown} is not there; `kontor install` puts it back"))),
        "unreadable" => Some(problem("unreadable", format!("{shown} cannot be read as a skill"))),
        "changed" => Some(problem("changed", format!("{shown}: {}", named(folder)))),
        _ => None,
    }
}

fn named(folder: &Folder) -> String {
    let Some(changes) = folder.changes.as_ref().filter(|changes| !changes.is_empty()) else {
        return "its files are not those that were installed; which ones is known only to a hub that still serves them"
            .to_owned();
    };
    let kinds = [("changed", &changes.changed), ("added", &changes.added), ("missing", &changes.missing)];
    let told = kinds.into_iter().filter(|(_, files)| !files.is_empty()).map(|(kind, files)| {
        let more = files.len().saturating_sub(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let files: Vec<&str> = files.iter().take(MOST_NAMES).map(String::as_str).collect();
        format!("{kind} {}{more}", files.join(", "))
    });
    told.collect::<Vec<_>>().join("; ")
}

/// What a hub says of a copy that is no longer as it was installed.
fn standing_problem(told: &CopyItem) -> Option<Problem> {
    let since = told.since.map(|since| format!(" on {}", moment(since))).unwrap_or_default();
    let reasons: Vec<&str> = told.reasons.iter().map(|reason| reason.text.as_str()).collect();
    let why = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
    match told.standing {
        Standing::Admitted => None,
        Standing::Yanked => {
            let reason = told.yank_reason.as_deref().filter(|reason| !reason.is_empty());
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            Some(problem("yanked", format!("its publisher withdrew it{since}{reason}")))
        }
        Standing::Held => {
            Some(problem("held", format!("the hub holds it for review{since}{why}; do not use it until then")))
        }
        Standing::Quarantined => {
            Some(problem("quarantined", format!("the hub put it in quarantine{since}{why}; do not use it")))
        }
        Standing::Rejected => Some(problem("rejected", format!("the hub rejected it{since}{why}; do not use it"))),
        Standing::Deleted => Some(problem("deleted", "its skill was deleted from the hub")),
        Standing::Replaced => {
            Some(problem("replaced", "the hub has other bytes under this name and number than those installed"))
        }
        Standing::Unknown => Some(problem("unknown", "the hub has nothing of this name, or does not show it to you")),
    }
}

fn as_json(place: &Looked, copy: &Copy) -> Value {
    let locked = &copy.locked;
    let folders = copy.folders.iter().map(|folder| {
        json!({
            "path": place.site.show(&folder.path),
            "state": folder.state(locked.digest),
            "changes": folder.changes,
            "moved_to": folder.moved_to,
        })
    });
    json!({
        "ref": locked.reference,
        "version": locked.version,
        "digest": locked.digest,
        "registry": locked.registry,
        "place": place.name,
        "requested": locked.requested,
        "agents": locked.agents,
        "folders": folders.collect::<Vec<_>>(),
        "hub": copy.told,
    })
}

fn stray_as_json(place: &Looked, stray: &StrayCopy) -> Value {
    json!({
        "path": place.site.show(&stray.stray.folder),
        "digest": stray.stray.digest,
        "place": place.name,
        "registry": stray.registry,
        "hub": stray.told,
        "moved_to": stray.moved_to,
    })
}
