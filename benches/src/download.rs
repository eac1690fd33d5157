//! `bench download`: archives from a hub beside the same bytes from nginx.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::duel::{Side, Turns, fight};
use crate::hub::Hub;
use crate::load::Call;
use crate::machine;
use crate::nginx::Nginx;
use crate::product::{self, Product};
use crate::report::{Limit, Report};

/// Of nginx's answers in a second.
const SHARE: f64 = 0.6;
/// Name and size of the text beside each measured skill's `SKILL.md`.
const SKILLS: [(&str, usize); 2] = [("small", 19_000), ("large", 5_000_000)];

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    product: Product,
    #[command(flatten)]
    turns: Turns,
    /// The nginx to compare with
    #[arg(long, default_value = "/usr/sbin/nginx")]
    nginx: PathBuf,
}

impl Options {
    /// The usual measurement of a binary.
    pub fn usual(product: Product) -> Self {
        Self { product, turns: Turns::default(), nginx: PathBuf::from("/usr/sbin/nginx") }
    }
}

/// Prints what [`measure`] finds.
pub fn run(options: &Options) -> Result<()> {
    measure(options)?.finish(options.product.json)
}

/// Downloads a small and a large skill, by the native address and by the one that ClawHub's clients use.
pub fn measure(options: &Options) -> Result<Report> {
    let binary = options.product.binary()?;
    let version = Nginx::version(&options.nginx)
        .with_context(|| format!("{} is not here: install Debian's package nginx-light", options.nginx.display()))?;
    let folder = tempfile::tempdir_in(product::data()?)?;
    let hub = Hub::start(&binary, &folder.path().join("hub"))?;
    publish(&hub, &binary, &folder.path().join("skills"))?;
    let files = folder.path().join("files");
    fs::create_dir(&files)?;
    let mut pairs = Vec::new();
    for (name, _) in SKILLS {
        let native = format!("/api/kontor/v1/skills/bench/{name}/versions/0.1.0/archive");
        let clawhub = format!("/api/v1/download?slug={name}&version=0.1.0");
        for (surface, target) in [("native", native), ("clawhub", clawhub)] {
            let answer = Call::get(&target).once(hub.address)?;
            if answer.status != 200 {
                bail!("the hub answers {target} with {}", answer.status);
            }
            let file = format!("{name}-{surface}.zip");
            fs::write(files.join(&file), &answer.body)?;
            pairs.push((format!("{surface}, {}", size(answer.body.len())), target, file));
        }
    }
    let probe = pairs.first().map_or("", |(.., file)| file.as_str());
    let nginx = Nginx::serve(&options.nginx, &files, probe)?;
    let mut report = Report::of("download");
    report.setting(machine::describe());
    report.setting(options.turns.describe());
    report.setting(format!("{version}: sendfile, tcp_nopush, worker_processes auto, access_log off"));
    for (name, target, file) in pairs {
        let ours = Side { address: hub.address, calls: vec![Call::get(&target)] };
        let theirs = Side { address: nginx.address, calls: vec![Call::get(&format!("/{file}"))] };
        let outcome = fight(&ours, &theirs, options.turns)?;
        report.setting(format!(
            "{name}: hub {:.0}/s ({:.0} MB/s), nginx {:.0}/s ({:.0} MB/s)",
            outcome.ours.answers,
            outcome.ours.bytes / 1e6,
            outcome.theirs.answers,
            outcome.theirs.bytes / 1e6
        ));
        report.figure(name, outcome.ratio, "of nginx", Limit::AtLeast(SHARE));
    }
    report.figure("hub's memory afterwards", hub.resident(), "MB", Limit::None);
    hub.stop()?;
    Ok(report)
}

fn size(bytes: usize) -> String {
    if bytes < 1_000_000 { format!("{} kB", bytes / 1_000) } else { format!("{} MB", bytes / 1_000_000) }
}

/// Brings the skills to the hub as anybody would.
fn publish(hub: &Hub, binary: &Path, folder: &Path) -> Result<()> {
    for (name, size) in SKILLS {
        let skill = folder.join(name);
        fs::create_dir_all(&skill)?;
        let text = format!("---\nname: {name}\ndescription: A skill whose archive is measured.\n---\n# {name}\n");
        fs::write(skill.join("SKILL.md"), text)?;
        fs::write(skill.join("notes.txt"), "All work and no play makes a dull archive.\n".repeat(size / 43))?;
    }
    let folder = folder.to_str().context("the folder has an odd path")?;
    let mut import = hub.client(binary, &["import", folder, "--publisher", "bench", "--fail-on-refused", "--quiet"]);
    if !import.stdout(std::process::Stdio::null()).status()?.success() {
        bail!("the skills could not be imported");
    }
    Ok(())
}
