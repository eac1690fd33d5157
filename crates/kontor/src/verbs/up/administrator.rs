use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kontor_access::{ExposeSecret as _, SecretString, secret};
use kontor_app::App;
use kontor_types::Handle;

/// The name of the first administrator.
const HANDLE: &str = "admin";

/// What the start prepared.
pub struct Prepared {
    /// Whether this is the hub's first start.
    pub first_start: bool,
    /// The file with the administrator's token, when it is there.
    pub file: Option<PathBuf>,
    /// The token, when this start knows it.
    pub secret: Option<String>,
}

/// Makes the first administrator. Their token is safe in its file before the hub knows it, so that a crash between the two
/// loses nothing. A preset token works from the start that presets it.
pub async fn prepare(app: &App, preset: Option<&str>) -> anyhow::Result<Prepared> {
    let first_start = app.access.needs_administrator().await.context("cannot look for the administrator")?;
    let file = app.settings().folder().join("admin.token");
    let handle = Handle::parse(HANDLE)?;
    let token = match preset {
        Some(preset) => Some(SecretString::from(preset.to_owned())),
        None if first_start => Some(kept(&file)?.unwrap_or_else(secret::token)),
        None => None,
    };
    if let Some(token) = &token {
        if first_start {
            keep(&file, token.expose_secret()).with_context(|| format!("cannot write {}", file.display()))?;
        }
        app.access.bootstrap(&handle, token).await.context("cannot make the first administrator")?;
    }
    let file = Some(file).filter(|file| file.is_file());
    Ok(Prepared { first_start, file, secret: token.map(|token| token.expose_secret().to_owned()) })
}

/// The token of a start that broke off before the hub knew it.
fn kept(file: &Path) -> anyhow::Result<Option<SecretString>> {
    if !file.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(|text| SecretString::from(text.to_owned())))
}

/// Writes the token so that nobody else can read it, at no moment, and that it survives a loss of power.
fn keep(file: &Path, token: &str) -> std::io::Result<()> {
    let draft = file.with_extension("token.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut out = options.open(&draft)?;
    writeln!(out, "{token}")?;
    out.sync_all()?;
    std::fs::rename(&draft, file)?;
    match file.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
