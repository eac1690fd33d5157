//! What the tests need and cargo does not bring: system packages, and private tools under `target/tools`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::{postgres, shell};

/// A program of the system, what needs it, and the Debian packages that bring it.
pub struct Tool {
    /// What it is called in messages.
    pub name: &'static str,
    /// What does not work without it.
    pub purpose: &'static str,
    /// Whether nothing builds without it.
    pub needed: bool,
    /// The Debian packages.
    pub packages: &'static str,
    /// One line that shows it is here.
    pub version: fn() -> Option<String>,
}

/// Where Debian puts the sources of Go's libraries.
const GO_LIBRARIES: &str = "/usr/share/gocode";

/// Everything the paved path starts.
pub const TOOLS: &[Tool] = &[
    Tool {
        name: "cc",
        purpose: "builds SQLite, zstd and the TLS library",
        needed: true,
        packages: "gcc g++ libc6-dev cmake",
        version: || shell::version("cc", &["--version"]),
    },
    Tool {
        name: "git",
        purpose: "lists the files that `check` reads; is a source of `kontor import`",
        needed: true,
        packages: "git",
        version: || shell::version("git", &["--version"]),
    },
    Tool {
        name: "postgres",
        purpose: "the second database of every test",
        needed: false,
        packages: "postgresql",
        version: || shell::version(postgres::programs()?.join("postgres"), &["--version"]),
    },
    Tool {
        name: "npm",
        purpose: "brings the real clients that the client suite drives",
        needed: false,
        packages: "npm",
        version: || shell::version("npm", &["--version"]),
    },
    Tool {
        name: "chromium",
        purpose: "looks at the pages",
        needed: false,
        packages: "chromium fonts-noto-cjk",
        version: || shell::version("chromium", &["--version"]),
    },
    Tool {
        name: "python3",
        purpose: "runs the reference validators, an S3 server for the tests and the starter skills' tests",
        needed: false,
        packages: "python3 python3-venv",
        version: || {
            shell::version("python3", &["-c", "import venv, ensurepip"])?;
            shell::version("python3", &["--version"])
        },
    },
    Tool {
        name: "go",
        purpose: "builds the verifier that checks the transparency log with Go's own libraries",
        needed: false,
        packages: "golang-go golang-golang-x-mod-dev",
        version: || {
            Path::new(GO_LIBRARIES).join("src/golang.org/x/mod/sumdb/tlog").is_dir().then_some(())?;
            shell::version("go", &["version"])
        },
    },
    Tool {
        name: "ffmpeg",
        purpose: "makes and cuts the clip on which the starter skill for videos is tried",
        needed: false,
        packages: "ffmpeg",
        version: || {
            shell::version("ffprobe", &["-version"])?;
            shell::version("ffmpeg", &["-version"])
        },
    },
    Tool {
        name: "strace",
        purpose: "shows the order of fsync and rename in the crash tests",
        needed: false,
        packages: "strace",
        version: || shell::version("strace", &["--version"]),
    },
];

/// Installs missing system packages in CI as root; elsewhere prints the line that does.
pub fn install_system() -> Result<()> {
    let missing: Vec<_> = TOOLS.iter().filter(|tool| (tool.version)().is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().flat_map(|tool| tool.packages.split(' ')).collect();
    let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    if !(in_ci && nix::unistd::geteuid().is_root()) {
        println!("missing: run as root: apt-get install --no-install-recommends {}", packages.join(" "));
        let needed: Vec<_> = missing.iter().filter(|tool| tool.needed).map(|tool| tool.name).collect();
        if !needed.is_empty() {
            bail!("nothing builds without {}", needed.join(", "));
        }
        return Ok(());
    }
    let apt = || {
        let mut command = shell::command("apt-get");
        command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let installed = shell::run(apt().arg("update"))
        .and_then(|()| shell::run(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages)));
    match installed {
        Err(error) if missing.iter().all(|tool| !tool.needed) => {
            let names: Vec<_> = missing.iter().map(|tool| tool.name).collect();
            println!("MISSING, what needs them is skipped: {}: {error:#}", names.join(", "));
            Ok(())
        }
        outcome => outcome,
    }
}

/// Where private tools lie.
pub fn folder() -> PathBuf {
    shell::target().join("tools")
}

/// The Python of the tests with the packages of `tests/tools/requirements.txt`, made once for each state of that file.
pub fn python() -> Result<PathBuf> {
    let requirements = shell::root().join("tests/tools/requirements.txt");
    let place = folder().join("python");
    let stamp = fs::read_to_string(&requirements).context("cannot read tests/tools/requirements.txt")?;
    once(&place, &stamp, || {
        shell::run(shell::command("python3").args(["-m", "venv"]).arg(&place))?;
        let mut pip = shell::command(place.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        shell::run(pip.arg(&requirements))
    })?;
    Ok(place.join("bin/python"))
}

/// The program that checks a published log with Go's libraries, built anew; nothing where Go or the libraries are missing.
pub fn go_verifier() -> Result<Option<PathBuf>> {
    let here = TOOLS.iter().any(|tool| tool.name == "go" && (tool.version)().is_some());
    if !here {
        return Ok(None);
    }
    let place = folder().join("go");
    fs::create_dir_all(&place)?;
    let program = place.join("verify-log");
    let mut build = shell::command("go");
    build.args(["build", "-o"]).arg(&program).arg(".").current_dir(shell::root().join("tests/verifiers/go"));
    // Debian's libraries lie in a workspace of the old kind, so nothing is fetched.
    build.env("GO111MODULE", "off").env("GOPATH", GO_LIBRARIES).env("GOFLAGS", "");
    shell::run(&mut build)?;
    Ok(Some(program))
}

/// The client suite's packages, exactly as its lock file says; returns the Node that came along.
pub fn clients() -> Result<PathBuf> {
    let place = packages("clients")?;
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    Ok(place.join(format!("node-linux-{processor}/bin/node")))
}

/// What drives the browser, exactly as its lock file says; nothing where Chromium is missing.
pub fn browser() -> Result<Option<Browser>> {
    let Some(chromium) = program("chromium") else { return Ok(None) };
    Ok(Some(Browser { chromium, modules: packages("browser")? }))
}

/// Chromium and the packages that drive it.
pub struct Browser {
    /// The program.
    pub chromium: PathBuf,
    /// The folder of installed packages.
    pub modules: PathBuf,
}

/// Where the path finds a program.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|place| place.is_file())
}

/// The npm packages of a suite in `tests`, made once for each state of its lock file; returns their folder.
fn packages(suite: &str) -> Result<PathBuf> {
    let source = shell::root().join("tests").join(suite);
    let place = folder().join(suite);
    let files = ["package.json", "package-lock.json", ".npmrc"];
    let texts: Vec<String> =
        files.iter().map(|name| fs::read_to_string(source.join(name))).collect::<Result<_, _>>()?;
    once(&place, &texts.concat(), || {
        for (name, text) in files.iter().zip(&texts) {
            fs::write(place.join(name), text)?;
        }
        shell::run(shell::command("npm").args(["ci", "--no-progress", "--loglevel=error", "--prefix"]).arg(&place))
    })?;
    Ok(place.join("node_modules"))
}

/// Fills a folder unless it was filled from the same description before.
fn once(place: &Path, description: &str, fill: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = place.join("made-from");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == description) {
        return Ok(());
    }
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    fs::create_dir_all(place)?;
    fill()?;
    fs::write(&stamp, description)?;
    Ok(())
}
