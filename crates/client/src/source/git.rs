use std::path::Path;

use kontor_wire::Origin;
use tokio::process::Command;
use url::Url;

use super::{Place, Source, Tree, borrowed_folder, program};
use crate::error::Error;

const MISSING: &str = "importing a repository needs git on this machine";

/// A repository by its address; `#name` at the end is a branch or tag.
pub fn named(text: &str) -> Source {
    let (address, reference) = match text.rsplit_once('#') {
        Some((address, reference)) if !reference.is_empty() => (address, Some(reference.to_owned())),
        _ => (text, None),
    };
    Source::Git { address: address.to_owned(), reference }
}

/// Whether the text is an address that git fetches from: https, http, ssh, git, file, or `user@host:path`.
pub fn is_address(text: &str) -> bool {
    if let Ok(url) = Url::parse(text) {
        let is_local = url.scheme() == "file" && url.to_file_path().is_ok();
        return is_local || matches!(url.scheme(), "https" | "http" | "ssh" | "git") && url.host_str().is_some();
    }
    scp_like(text).is_some()
}

/// `user@host:path`, which git reads as ssh.
fn scp_like(text: &str) -> Option<(&str, &str)> {
    let (place, path) = text.split_once(':')?;
    let (_, host) = place.split_once('@')?;
    let plain =
        |host: &str| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    (plain(host) && !path.starts_with(':') && !path.is_empty()).then_some((host, path))
}

/// The same for every way to write the address, without credentials.
pub fn identity(address: &str, reference: Option<&str>) -> String {
    let plain = without_credentials(address);
    let plain = plain.trim_end_matches('/');
    let plain = plain.strip_suffix(".git").unwrap_or(plain);
    let reference = reference.map(|reference| format!("#{reference}")).unwrap_or_default();
    format!("git:{plain}{reference}")
}

/// The address as others may see it.
pub fn without_credentials(address: &str) -> String {
    if let Ok(mut url) = Url::parse(address)
        && url.host_str().is_some()
    {
        let gone = url.set_username("").and_then(|()| url.set_password(None));
        return gone.map_or_else(|()| String::new(), |()| url.to_string());
    }
    match scp_like(address) {
        Some((host, path)) => format!("ssh://{host}/{}", path.trim_start_matches('/')),
        None => std::fs::canonicalize(address).map_or_else(|_| address.to_owned(), |path| path.display().to_string()),
    }
}

/// Clones without history, hooks, submodules or filters into a borrowed folder.
pub async fn fetch(address: &str, reference: Option<&str>) -> Result<Tree, Error> {
    let named = Url::parse(address).ok().and_then(|url| url.to_file_path().ok());
    let folder = named.as_deref().unwrap_or(Path::new(address));
    let local = folder.is_dir();
    if named.is_some() && !local {
        return Err(Error::Usage(format!("there is no folder {}", folder.display())));
    }
    if !local && !is_address(address) {
        return Err(Error::Usage(format!("`{address}` is no address of a git repository")));
    }
    let address = if local { local_address(folder)? } else { address.to_owned() };
    let keep = borrowed_folder()?;
    let root = keep.path().join("tree");
    let mut clone = git(local);
    clone.args(["clone", "--quiet", "--depth=1", "--single-branch", "--no-tags", "--no-recurse-submodules"]);
    if let Some(reference) = reference {
        clone.arg(format!("--branch={reference}"));
    }
    clone.arg("--").arg(&address).arg(&root);
    program::fetch_with(clone, keep.path(), MISSING).await?;
    let mut show = git(local);
    show.arg("-C").arg(&root).args(["rev-parse", "HEAD"]);
    let commit = program::fetch_with(show, keep.path(), MISSING).await?;
    let plain = without_credentials(&address);
    let name = plain.trim_end_matches('/').rsplit('/').next().map(|name| name.trim_end_matches(".git").to_owned());
    let origin = Origin {
        kind: "git".to_owned(),
        // Where it lies on somebody's disk says nothing to others, and is not theirs to know.
        url: (!local).then_some(plain),
        commit: Some(commit.trim().to_owned()).filter(|commit| !commit.is_empty()),
        version: reference.map(str::to_owned),
        ..Origin::default()
    };
    Ok(Tree::new(Place::Folder(root), origin, Some(keep)).named(name.filter(|name| !name.is_empty())))
}

fn local_address(folder: &Path) -> Result<String, Error> {
    let path = std::fs::canonicalize(folder).map_err(|error| Error::io("find", folder, error))?;
    let url = Url::from_file_path(&path).map_err(|()| Error::Usage(format!("cannot clone from {}", path.display())))?;
    Ok(url.to_string())
}

/// Git with the user's credentials and settings, but without anything that the repository could make run.
fn git(local: bool) -> Command {
    let mut command = Command::new("git");
    command.args([
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.symlinks=false",
        "-c",
        "submodule.recurse=false",
        "-c",
        "advice.detachedHead=false",
    ]);
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_LFS_SKIP_SMUDGE", "1")
        .env("GIT_ALLOW_PROTOCOL", if local { "file" } else { "https:http:ssh:git" });
    if std::env::var_os("GIT_SSH_COMMAND").is_none() && std::env::var_os("GIT_SSH").is_none() {
        command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
    }
    command
}
