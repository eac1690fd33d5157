use std::path::PathBuf;

use kontor_wire::Origin;
use serde::Deserialize;
use tokio::process::Command;

use super::{Tree, archive, borrowed_folder, program};
use crate::error::{Error, ErrorKind};

const MISSING: &str = "importing a package of the npm registry needs npm on this machine";

/// Only names of the registry: no paths, addresses or options.
pub fn check(spec: &str) -> Result<(), Error> {
    let name = name(spec);
    let version = spec.get(name.len()..).unwrap_or_default().trim_start_matches('@');
    let (scope, bare) = match name.strip_prefix('@').and_then(|name| name.split_once('/')) {
        Some((scope, bare)) => (Some(scope), bare),
        None => (None, name),
    };
    let word = |text: &str| {
        !text.is_empty()
            && !text.starts_with(['-', '.'])
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let range = version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._+^~<>=* |".contains(&byte));
    if word(bare) && scope.is_none_or(word) && range && !version.starts_with('-') && spec.len() < 300 {
        return Ok(());
    }
    Err(Error::Usage(format!("`{spec}` names no package: write npm:name, npm:@scope/name or npm:name@1.2.3")))
}

/// The package's name without a version.
pub fn name(spec: &str) -> &str {
    let behind_scope = spec.strip_prefix('@').map_or(0, |_| 1);
    let end = spec.get(behind_scope..).and_then(|rest| rest.find('@')).map(|at| at + behind_scope);
    spec.get(..end.unwrap_or(spec.len())).unwrap_or(spec)
}

#[derive(Deserialize)]
struct Packed {
    filename: String,
    version: String,
}

/// Lets the user's npm, with their settings, fetch the package; none of its scripts run.
pub async fn fetch(spec: &str) -> Result<Tree, Error> {
    check(spec)?;
    let keep = borrowed_folder()?;
    let mut pack = Command::new("npm");
    pack.args(["pack", "--json", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]);
    pack.arg("--pack-destination").arg(keep.path()).arg("--").arg(spec);
    let said = program::fetch_with(pack, keep.path(), MISSING).await?;
    let packed: Option<Packed> =
        serde_json::from_str::<Vec<Packed>>(&said).ok().and_then(|list| list.into_iter().next());
    let file = archive_in(keep.path(), packed.as_ref().map(|packed| packed.filename.as_str()))?;
    let origin = Origin {
        kind: "npm".to_owned(),
        url: Some(format!("npm:{}", name(spec))),
        version: packed.map(|packed| packed.version),
        ..Origin::default()
    };
    let tree = archive::unpack(file, origin).await?.unwrapped();
    let bare = name(spec).rsplit('/').next().map(str::to_owned);
    Ok(tree.named(bare))
}

fn archive_in(folder: &std::path::Path, name: Option<&str>) -> Result<PathBuf, Error> {
    let plain =
        name.filter(|name| !name.contains(['/', '\\'])).map(|name| folder.join(name)).filter(|path| path.is_file());
    let any = || {
        let entries = std::fs::read_dir(folder).ok()?.flatten();
        entries.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|ending| ending == "tgz"))
    };
    plain.or_else(any).ok_or_else(|| Error::Program {
        program: "npm".to_owned(),
        kind: ErrorKind::Other,
        message: "it brought no package".to_owned(),
        hint: None,
    })
}
