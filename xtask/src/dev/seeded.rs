use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result};

use crate::shell;

/// What the hub holds besides the starter skills: another publisher, and one skill in each state that pages must show.
const SEEDS: &[&[&str]] = &[
    &["publisher", "create", "acme", "--name", "Acme Ltd"],
    &["import", "skills", "--publisher", "acme"],
    &["visibility", "@acme/video-editor", "private"],
    &["visibility", "@acme/financial-report", "organisation"],
    &["star", "@acme/meeting-minutes"],
    &["deprecate", "@acme/ad-copywriter", "--message", "it moved", "--successor", "@kontor/ad-copywriter"],
    &["report", "@acme/shopping-advisor", "--reason", "an example of a report"],
];

/// Starts the hub and, where it has no data yet, fills it.
pub fn start(program: &Path, data: &Path, listen: &str) -> Result<Child> {
    let is_new = !data.exists();
    let mut hub = shell::command(program);
    hub.args(["up", "--json", "--listen", listen, "--data"]).arg(data).stdout(Stdio::piped());
    let mut hub = hub.spawn().context("cannot start the hub")?;
    let stdout = hub.stdout.take().context("the hub has no standard output")?;
    // The hub says where it is once it is ready.
    let said: Option<serde_json::Value> =
        serde_json::Deserializer::from_reader(stdout).into_iter().next().transpose()?;
    let url = said.as_ref().and_then(|said| said["url"].as_str()).context("the hub ended before it was ready")?;
    let seed = |arguments: &&[&str]| {
        let mut client = shell::command(program);
        client.args(*arguments).arg("--quiet").env("KONTOR_REGISTRY", url).stdout(Stdio::null());
        shell::run(client.arg("--token-file").arg(data.join("admin.token")))
    };
    SEEDS.iter().filter(|_| is_new).try_for_each(seed)?;
    Ok(hub)
}
