//! The skill that is run: from a hub, proven and permitted; installed; or a folder, scanned here.

use std::path::Path;
use std::sync::Arc;

use kontor_client::{Client, Distrust, Error, Judge, Name, Presence, Site, UserFolders, survey};
use kontor_package::{Content, Limits, MANIFEST_FILE, Manifest, pack};
use kontor_runs::{Decision, RanSkill};
use kontor_scan::{Report, Scanner, Verdict};
use kontor_types::{SkillRef, VersionSelector};
use kontor_wire::{Explanation, Outcome, PlanItem, PolicyReason, ResolveRequest};

use super::Args;
use crate::exit::UsageError;
use crate::local;
use crate::session::{Session, settings_folder};
use crate::terminal::plain;
use crate::verbs::install::judge;

/// What is run, and who let it.
pub struct Target {
    /// Its name and digest.
    pub skill: RanSkill,
    /// Its files.
    pub content: Content,
    /// Who let it run; the consent is not in it yet.
    pub decision: Decision,
    /// What the scanner sees in it.
    pub scan: Report,
    /// The caller, as the hub knows them.
    pub person: Option<String>,
}

impl Target {
    /// What the author declares; nothing when there is no manifest.
    pub fn manifest(&self) -> Manifest {
        let text = self.content.get(MANIFEST_FILE).and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.and_then(|text| Manifest::read(text).0).unwrap_or_default()
    }
}

/// Finds what the command line names.
pub async fn find(args: &Args, session: &Session) -> anyhow::Result<Target> {
    let path = Path::new(&args.target);
    if !args.target.starts_with('@') && (args.target.contains('/') || args.target.starts_with('.') || path.exists()) {
        return folder(path, args);
    }
    let reference = args.target.parse::<SkillRef>().map_err(|error| UsageError(error.to_string()))?;
    hub(&reference, args, session).await
}

fn folder(path: &Path, args: &Args) -> anyhow::Result<Target> {
    let skill = local::skill_at(path)?;
    let name = skill.folder.clone().unwrap_or_else(|| skill.path.clone());
    let what = skill.path.clone();
    let content = skill.content.map_err(|source| Error::Package { what, source })?;
    let scan = Scanner::new()?.scan_content(&name, &content);
    if scan.verdict == Verdict::Malicious && !args.accept_findings {
        let found = scan.findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
        let message = format!("the scan finds {name} malicious: {found}");
        return Err(
            Error::refused(message, "`kontor scan` shows all of it; --accept-findings runs it all the same").into()
        );
    }
    let decision = Decision {
        by: "local_scan".to_owned(),
        under: format!("rules {}", scan.rules),
        verdict: scan.verdict.word().to_owned(),
        reasons: scan
            .findings
            .iter()
            .take(10)
            .map(|finding| format!("{}: {}", finding.rule, finding.message))
            .collect(),
        consent: String::new(),
        waived: waived(args, &["accept_findings"]),
    };
    let skill = RanSkill { name, digest: pack(&content).digest, registry: None };
    // No hub knows who runs a folder, and a variable of the environment is nobody's word.
    Ok(Target { skill, content, decision, scan, person: None })
}

/// A skill of a hub. An installed copy need not be downloaded again, but what lies there and what a lock file says of it can be
/// anybody's: like a download it is held to the hub's digest and to its log.
async fn hub(reference: &SkillRef, args: &Args, session: &Session) -> anyhow::Result<Target> {
    let client = session.client()?;
    let judge = judge(args, &client, session).await?;
    let here = installed(reference, &client)?;
    let is_here = here.is_some();
    let (item, content) = match here {
        Some(found) => found,
        None => download(reference, &client, judge.as_deref()).await?,
    };
    let publisher =
        item.reference.publisher.as_ref().ok_or_else(|| UsageError("the hub names no publisher".to_owned()))?;
    let name = Name(publisher, &item.reference.slug);
    let full = format!("{}@{}", item.reference, item.version);
    let known = client.version(&name, &item.version.to_string()).await?.summary;
    if known.version != item.version || known.digest != item.digest {
        let message = format!("what is installed here as {full} is not what the hub has under that name");
        let hint = "`kontor install` brings the hub's; a kontor.lock that came with a project may have been changed";
        return Err(Error::distrusted(Distrust::Replaced, message, hint).into());
    }
    if let Some(judge) = judge.as_deref().filter(|_| is_here) {
        client.prove(&item, judge).await?;
    }
    if let Some(reason) = &known.yanked_at.map(|_| known.yank_reason.unwrap_or_default()) {
        let reason = if reason.is_empty() { String::new() } else { format!(": {}", plain(reason)) };
        session.terminal.warn(&format!("{full} was withdrawn{reason}"));
    }
    let told = client.explanation(&name, &item.version).await?;
    permitted(&told, &full)?;
    let scan = Scanner::new()?.scan_content(&full, &content);
    let assessed = client.assessment(&name, &item.version).await.ok();
    let verdict = assessed.and_then(|told| told.verdict).map_or("", |verdict| match verdict {
        kontor_wire::Verdict::Clean => "clean",
        kontor_wire::Verdict::Incomplete => "incomplete",
        kontor_wire::Verdict::Suspicious => "suspicious",
        kontor_wire::Verdict::Malicious => "malicious",
    });
    let decision = Decision {
        by: "hub".to_owned(),
        under: told.policy,
        verdict: verdict.to_owned(),
        reasons: told.reasons.into_iter().map(|reason| reason.text).collect(),
        consent: String::new(),
        waived: waived(args, &["no_verify"]),
    };
    let person = if client.is_signed_in() { client.whoami().await.ok().map(|me| me.handle.to_string()) } else { None };
    let skill = RanSkill { name: full, digest: item.digest, registry: Some(client.registry().to_owned()) };
    Ok(Target { skill, content, decision, scan, person })
}

/// What the command line did without, or allowed besides, as receipts say it: of checks of the target only those that were
/// due for it.
fn waived(args: &Args, of_target: &[&str]) -> Vec<String> {
    let given = [
        (args.no_verify && of_target.contains(&"no_verify"), "no_verify"),
        (args.accept_findings && of_target.contains(&"accept_findings"), "accept_findings"),
        (args.install_scripts, "install_scripts"),
        (args.accept_weaker, "accept_weaker"),
    ];
    given.into_iter().filter(|(given, _)| *given).map(|(_, word)| word.to_owned()).collect()
}

/// Refuses what the hub has not let in, and what it does not let this caller run.
fn permitted(told: &Explanation, full: &str) -> anyhow::Result<()> {
    let texts = |reasons: &[PolicyReason]| {
        let texts: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
        if texts.is_empty() { "no policy permits it".to_owned() } else { texts.join("; ") }
    };
    let refused = |message: String| Err(Error::refused(message, "ask the hub's operator").into());
    if told.outcome != Outcome::Admit {
        return refused(format!("the hub has not let in {full}: {}", texts(&told.reasons)));
    }
    match told.permissions.iter().find(|permission| permission.action == "run") {
        Some(run) if run.permitted => Ok(()),
        run => {
            let why = run.map_or_else(|| "it does not say that it does".to_owned(), |run| texts(&run.reasons));
            refused(format!("the hub does not let you run {full}: {why}"))
        }
    }
}

/// What looks at the hub's log, unless that was left out.
async fn judge(args: &Args, client: &Client, session: &Session) -> anyhow::Result<Option<Arc<Judge>>> {
    if args.no_verify {
        session.terminal.warn("nothing is checked against the hub's log");
        return Ok(None);
    }
    Ok(Some(judge::of(client, session).await?))
}

/// An unchanged copy that was installed from this hub, in this project or for this user.
fn installed(reference: &SkillRef, client: &Client) -> anyhow::Result<Option<(PlanItem, Content)>> {
    let mut sites = vec![Site::project(Path::new("."))?];
    if let (Some(folders), Ok(settings)) = (UserFolders::own(), settings_folder()) {
        sites.push(Site::user(folders, settings.join("kontor.lock")));
    }
    for site in sites {
        for found in survey(&site).unwrap_or_default() {
            let locked = &found.locked;
            let is_it = locked.registry == client.registry()
                && locked.reference.slug == reference.slug
                && (reference.publisher.is_none() || locked.reference.publisher == reference.publisher);
            let fits = match &reference.version {
                None => true,
                Some(VersionSelector::Exact(version)) => *version == locked.version,
                Some(_) => false,
            };
            let unchanged = found.folders.iter().find(|(_, presence)| **presence == Presence::Exact(locked.digest));
            if let (true, true, Some((folder, _))) = (is_it, fits, unchanged) {
                let content = Content::from_directory(folder, &Limits::CEILING)
                    .map_err(|source| Error::Package { what: folder.display().to_string(), source })?;
                // Between looking and reading it could have been changed.
                if pack(&content).digest == locked.digest {
                    return Ok(Some((locked.item()?, content)));
                }
            }
        }
    }
    Ok(None)
}

async fn download(reference: &SkillRef, client: &Client, judge: Option<&Judge>) -> anyhow::Result<(PlanItem, Content)> {
    let (publisher, slug) = client.full_name(reference).await?;
    let wanted = SkillRef { publisher: Some(publisher), slug, version: reference.version.clone() };
    let plan = client.resolve(&ResolveRequest { requires: vec![wanted.clone()], prefer: Vec::new() }).await?;
    let item = plan.items.into_iter().find(|item| item.direct || item.reference.slug == wanted.slug);
    let item = item.ok_or_else(|| {
        Error::refused(format!("the hub resolves {wanted} to nothing"), "`kontor info` shows its versions")
    })?;
    let content = client.content(&item, judge).await?;
    Ok((item, content))
}
