//! `bench resolve`: the routes that resolve a name to a version, beside a route of the same server that always answers
//! the same JSON.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::duel::{Side, Turns, fight};
use crate::hub::Hub;
use crate::load::Call;
use crate::machine;
use crate::many::{Many, PUBLISHER, Skill};
use crate::product::Product;
use crate::report::{Limit, Report};

/// Of the constant route's answers in a second.
const SHARE: f64 = 0.4;
/// How many different skills are asked for, by turns.
const ASKED: usize = 1_000;
/// The same document at every request, through the same layers as every route: a request's id, who asks, limits,
/// headers, metrics.
const CONSTANT: &str = "/.well-known/clawhub.json";

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    product: Product,
    #[command(flatten)]
    many: Many,
    #[command(flatten)]
    turns: Turns,
}

impl Options {
    /// The usual measurement of a binary.
    pub fn usual(product: Product) -> Self {
        Self { product, many: Many::default(), turns: Turns::default() }
    }
}

/// Prints what [`measure`] finds.
pub fn run(options: &Options) -> Result<()> {
    measure(options)?.finish(options.product.json)
}

/// Resolves a thousand names by turns on each surface.
pub fn measure(options: &Options) -> Result<Report> {
    let binary = options.product.binary()?;
    let filled = options.many.fill(&binary)?;
    let hub = Hub::start(&binary, &filled.folder)?;
    let step = (filled.skills.len() / ASKED).max(1);
    // What the hub holds for review is resolved for nobody.
    let admitted = |skill: &&Skill| native(skill).status(hub.address) == Some(200);
    let skills: Vec<&Skill> = filled.skills.iter().step_by(step).take(ASKED).filter(admitted).collect();
    if skills.len() * 2 < ASKED.min(filled.skills.len()) {
        bail!("the hub resolves only {} of the names", skills.len());
    }
    let native: Vec<Call> = skills.iter().map(|skill| native(skill)).collect();
    let clawhub: Vec<Call> = skills.iter().map(|skill| clawhub(skill)).collect();
    look(&hub, &native, &["items", "0", "version"])?;
    look(&hub, &clawhub, &["match", "version"])?;
    let constant = Side { address: hub.address, calls: vec![Call::get(CONSTANT)] };
    let mut report = Report::of("resolve");
    report.setting(machine::describe());
    report.setting(options.many.describe());
    report.setting(options.turns.describe());
    report.setting(format!("{} names by turns; constant route: GET {CONSTANT}, through the same layers", skills.len()));
    for (name, calls) in [("POST /api/kontor/v1/resolve", native), ("GET /api/v1/resolve", clawhub)] {
        let outcome = fight(&Side { address: hub.address, calls }, &constant, options.turns)?;
        let (ours, theirs) = (outcome.ours.answers, outcome.theirs.answers);
        report.setting(format!("{name}: {ours:.0}/s, constant {theirs:.0}/s"));
        report.figure(name, outcome.ratio, "of constant", Limit::AtLeast(SHARE));
    }
    report.figure("hub's memory afterwards", hub.resident(), "MB", Limit::None);
    hub.stop()?;
    Ok(report)
}

fn native(skill: &Skill) -> Call {
    Call::post("/api/kontor/v1/resolve", &json!({ "requires": [format!("@{PUBLISHER}/{}", skill.name)] }))
}

fn clawhub(skill: &Skill) -> Call {
    Call::get(&format!("/api/v1/resolve?slug={}&hash={}", skill.name, skill.fingerprint().hex()))
}

/// Looks once whether the answers say the version.
fn look(hub: &Hub, calls: &[Call], path: &[&str]) -> Result<()> {
    for call in calls {
        let answer = call.once(hub.address)?;
        let document: Value = serde_json::from_slice(&answer.body).context("an answer is no JSON")?;
        let found = path.iter().fold(&document, |value, step| match step.parse::<usize>() {
            Ok(place) => &value[place],
            Err(_) => &value[*step],
        });
        if found != "0.1.0" {
            bail!("a name is resolved to {document}");
        }
    }
    Ok(())
}
