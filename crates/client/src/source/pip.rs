use kontor_wire::Origin;
use tokio::process::Command;

use super::{Tree, archive, borrowed_folder, program};
use crate::error::{Error, ErrorKind};

const MISSING: &str = "importing a package of the Python registry needs pip on this machine";

/// Only names of the registry with a version: no paths, addresses or options.
pub fn check(spec: &str) -> Result<(), Error> {
    let plain = name_as_written(spec);
    let rest = spec.get(plain.len()..).unwrap_or_default();
    let version = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".,<>=!~*+-".contains(&byte));
    let operator = rest.is_empty() || rest.starts_with(['=', '<', '>', '!', '~']);
    if plain.starts_with(|char: char| char.is_ascii_alphanumeric()) && version && operator && spec.len() < 300 {
        return Ok(());
    }
    Err(Error::Usage(format!("`{spec}` names no package: write pip:name or pip:name==1.2.3")))
}

fn name_as_written(spec: &str) -> &str {
    let end = spec.find(|char: char| !char.is_ascii_alphanumeric() && !"-_.".contains(char));
    spec.get(..end.unwrap_or(spec.len())).unwrap_or(spec)
}

/// The package's name in the registry's normal form: lower case, runs of `-_.` as one hyphen.
pub fn name(spec: &str) -> String {
    let lower = name_as_written(spec).to_ascii_lowercase();
    lower.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// Lets the user's pip, with their settings, fetch the package's wheel.
///
/// Only wheels: to fetch a source distribution, pip runs the build program in it, and nothing foreign runs here.
pub async fn fetch(spec: &str) -> Result<Tree, Error> {
    check(spec)?;
    let keep = borrowed_folder()?;
    let arguments =
        ["download", "--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet"];
    let run = |program: &str, before: &[&str]| {
        let mut command = Command::new(program);
        command.args(before).args(arguments).arg("--dest").arg(keep.path()).arg("--").arg(spec);
        program::fetch_with(command, keep.path(), MISSING)
    };
    let outcome = match run("pip", &[]).await {
        Err(Error::Program { hint: Some(_), .. }) => run("python3", &["-m", "pip"]).await,
        other => other,
    };
    outcome.map_err(explain)?;
    let wheel = std::fs::read_dir(keep.path())
        .map_err(|error| Error::io("read", keep.path(), error))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "whl"));
    let wheel = wheel.ok_or_else(|| Error::Program {
        program: "pip".to_owned(),
        kind: ErrorKind::Other,
        message: "it brought no wheel".to_owned(),
        hint: None,
    })?;
    let file = wheel.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let origin = Origin {
        kind: "pip".to_owned(),
        url: Some(format!("pip:{}", name(spec))),
        version: file.split('-').nth(1).map(str::to_owned),
        ..Origin::default()
    };
    Ok(archive::unpack(wheel, origin).await?.named(Some(name(spec))))
}

fn explain(error: Error) -> Error {
    match error {
        Error::Program { program, kind, message, hint: None } => {
            let hint = "only wheels are fetched, since pip runs a source distribution's build program; if there is no wheel, \
                        download the source archive yourself and import the file";
            Error::Program { program, kind, message, hint: Some(hint.to_owned()) }
        }
        other => other,
    }
}
