//! `bench run-wild`: how many scripts of real skills, unedited, start in the sandbox and answer `--help`.

mod judge;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use kontor_package::{Content, Dependencies, DiscoveryLimits, Limits, MANIFEST_FILE, Manifest, discover};
use kontor_runs::{
    Building, Entry, Language, Layer, Layers, Program, Wanted, is_python_entry, language, observe, scripts,
};
use kontor_sandbox::{Sandbox, Tier};

use crate::corpora::ORDINARY;
use crate::product;
use crate::report::{Limit, Report};

use judge::{Class, Judged};

/// Hundredths of the eligible skills whose scripts must all answer.
const ANSWER: f64 = 60.0;
/// The word of the command line that makes this program a launcher of sandboxes.
pub const LAUNCHER: &str = "sandbox-launcher";
/// How long a script may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// A folder with skills, or with packages that hold some; the packages of the development data unless told
    #[arg(long, value_name = "DIR")]
    data: Vec<PathBuf>,
    /// Only skills whose path contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Bring no packages of others
    #[arg(long)]
    no_layers: bool,
    /// Print data as JSON
    #[arg(long)]
    json: bool,
}

/// One skill with scripts.
struct Skill {
    path: String,
    content: Content,
    scripts: Vec<String>,
}

/// What became of one skill.
pub struct Outcome {
    /// Its path in the data.
    pub skill: String,
    /// Its scripts, each with what became of it.
    pub scripts: Vec<(String, Judged)>,
}

impl Outcome {
    /// Scripts that need nothing that a run without grants has not.
    fn eligible(&self) -> impl Iterator<Item = &(String, Judged)> {
        self.scripts.iter().filter(|(_, judged)| judged.class.is_eligible())
    }

    /// Whether it has eligible scripts, and whether all of them answer.
    fn answers(&self) -> Option<bool> {
        let mut eligible = self.eligible().peekable();
        eligible.peek()?;
        Some(eligible.all(|(_, judged)| judged.class == Class::Answers))
    }
}

/// Prints what [`measure`] finds.
pub fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcomes = runtime.block_on(measure(options))?;
    let report = summarise(&outcomes);
    if options.json {
        table::print_json(&report, &outcomes);
    } else {
        table::print(&outcomes);
    }
    if options.json {
        anyhow::ensure!(report.is_met(), "run-wild: a limit is missed");
        return Ok(());
    }
    report.finish(false)
}

/// Runs every script of every skill once, with nothing granted.
async fn measure(options: &Options) -> Result<Vec<Outcome>> {
    let folders = if options.data.is_empty() {
        ORDINARY.iter().map(|package| package.unpacked()).collect::<Result<_>>()?
    } else {
        options.data.clone()
    };
    let mut skills = Vec::new();
    for folder in &folders {
        skills.extend(found(folder, options.only.as_deref())?);
    }
    let program = std::env::current_exe().context("this program has no path")?;
    let sandbox = Sandbox::new(program, vec![LAUNCHER.to_owned()]);
    let layers = Layers::new(product::data()?.join("layers"), sandbox.clone());
    let mut outcomes = Vec::new();
    for skill in skills {
        eprintln!("{} ({})", skill.path, skill.scripts.len());
        let mut judged = Vec::new();
        for script in &skill.scripts {
            let one = attempt(&skill, script, &sandbox, (!options.no_layers).then_some(&layers)).await;
            eprintln!("  {script}: {} {}", one.class.word(), one.detail);
            judged.push((script.clone(), one));
        }
        outcomes.push(Outcome { skill: skill.path, scripts: judged });
    }
    Ok(outcomes)
}

/// The skills below a folder that have scripts; nested skills are skills of their own.
fn found(folder: &Path, only: Option<&str>) -> Result<Vec<Skill>> {
    let discovered = discover(folder, &DiscoveryLimits::default())
        .with_context(|| format!("cannot look through {}", folder.display()))?;
    let inner: BTreeSet<&str> = discovered.skills.iter().map(|skill| skill.path.as_str()).collect();
    let mut skills = Vec::new();
    for found in &discovered.skills {
        let shown =
            format!("{}/{}", folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default(), found.path);
        if only.is_some_and(|only| !shown.contains(only)) {
            continue;
        }
        let Ok(content) = Content::from_directory(&folder.join(&found.path), &Limits::default()) else { continue };
        let nested = |path: &str| {
            inner.iter().any(|other| {
                let below =
                    if found.path.is_empty() { Some(*other) } else { other.strip_prefix(&format!("{}/", found.path)) };
                below.is_some_and(|below| !below.is_empty() && path.starts_with(&format!("{below}/")))
            })
        };
        let own: Vec<String> =
            scripts(&content).into_iter().filter(|path| is_entry(&content, path) && !nested(path)).collect();
        if !own.is_empty() {
            skills.push(Skill { path: shown, content, scripts: own });
        }
    }
    Ok(skills)
}

/// Whether a file is a script to start, in one of the languages that are counted, and no test and no module to import.
fn is_entry(content: &Content, path: &str) -> bool {
    let bytes = content.get(path).unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_test = path.split('/').any(|part| part == "tests" || part == "test")
        || name.starts_with("test_")
        || name.contains(".test.");
    let text = String::from_utf8_lossy(bytes);
    let starts = match language(path, bytes) {
        Some((Language::Python, _)) => name != "__init__.py" && is_python_entry(&text),
        Some((Language::Shell, _)) => !text.trim().is_empty(),
        Some((Language::JavaScript, _)) => is_node_entry(path, &text),
        _ => false,
    };
    starts && !is_test
}

/// JavaScript that is meant to be started lies with scripts or looks at its arguments; the rest is there to be imported or is
/// an example.
fn is_node_entry(path: &str, text: &str) -> bool {
    text.starts_with("#!")
        || text.contains("process.argv")
        || text.contains("require.main")
        || path.starts_with("scripts/")
}

/// Runs one script with its packages and `--help`; when it wants an argument, it has answered.
async fn attempt(skill: &Skill, script: &str, sandbox: &Sandbox, layers: Option<&Layers>) -> Judged {
    let entry = Entry::Script(script.to_owned());
    let program: Program = match entry.program(&skill.content) {
        Ok(program) => program,
        Err(error) => return Judged::new(Class::Program, error.to_string()),
    };
    let declared = declared(&skill.content);
    let wanted = match Wanted::of(&skill.content, script, &program, &declared) {
        Ok(wanted) => wanted,
        Err(error) => return Judged::new(Class::Packages, error.to_string()),
    };
    let layer = match layers {
        None => Ok(Layer::default()),
        Some(layers) => layers.lock(&wanted, &program, Building::default()).await.map(|(_, layer)| layer),
    };
    let layer = match layer {
        Ok(layer) => layer,
        Err(error) => return Judged::new(Class::Packages, error.to_string()),
    };
    let first = try_once(skill, &entry, &program, &layer, &["--help"], sandbox).await;
    if !matches!(first.class, Class::Input | Class::Broken | Class::Time) {
        return first;
    }
    // Some take `--help` for the name of a file, and tell how they are used when they get nothing.
    let second = try_once(skill, &entry, &program, &layer, &[], sandbox).await;
    match second.class {
        Class::Answers => Judged::new(Class::Answers, "without arguments"),
        _ if second.class.is_eligible() => first,
        _ => second,
    }
}

async fn try_once(
    skill: &Skill,
    entry: &Entry,
    program: &Program,
    layer: &Layer,
    arguments: &[&str],
    sandbox: &Sandbox,
) -> Judged {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    match observe(&skill.content, entry, program, layer, &arguments, (PATIENCE, Tier::Full), sandbox).await {
        Ok((outcome, stdout, stderr)) => judge::judge(&outcome, &stdout.bytes, &stderr.bytes),
        Err(error) => Judged::new(Class::Sandbox, error.to_string()),
    }
}

fn declared(content: &Content) -> Dependencies {
    let text = content.get(MANIFEST_FILE).and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.and_then(|text| Manifest::read(text).0).map(|manifest| manifest.dependencies).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "some hundred skills")]
fn summarise(outcomes: &[Outcome]) -> Report {
    let mut report = Report::of("run-wild");
    let share = |part: usize, whole: usize| if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
    let skills: Vec<bool> = outcomes.iter().filter_map(Outcome::answers).collect();
    let scripts: Vec<&(String, Judged)> = outcomes.iter().flat_map(Outcome::eligible).collect();
    let answering = skills.iter().filter(|answers| **answers).count();
    let answers = scripts.iter().filter(|(_, judged)| judged.class == Class::Answers).count();
    let any = outcomes
        .iter()
        .filter(|one| one.answers().is_some() && one.eligible().any(|(_, judged)| judged.class == Class::Answers))
        .count();
    report.figure(
        "skills whose eligible scripts all answer",
        share(answering, skills.len()),
        "%",
        Limit::AtLeast(ANSWER),
    );
    report.figure("skills with an eligible script that answers", share(any, skills.len()), "%", Limit::None);
    report.figure("eligible scripts that answer", share(answers, scripts.len()), "%", Limit::None);
    let all: usize = outcomes.iter().map(|one| one.scripts.len()).sum();
    report.setting(format!(
        "{} skills with scripts, {} of them eligible; {all} scripts, {} of them eligible",
        outcomes.len(),
        skills.len(),
        scripts.len()
    ));
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, judged) in outcomes.iter().flat_map(|one| &one.scripts) {
        *classes.entry(judged.class.word()).or_default() += 1;
    }
    let classes: Vec<String> = classes.into_iter().map(|(word, count)| format!("{word} {count}")).collect();
    report.setting(format!("scripts by what became of them: {}", classes.join(", ")));
    report.setting("unedited, with `--help`, else without arguments, nothing granted; packages that the skill names or everybody knows come from a locked layer");
    report
}
