//! The home of a person who is not there: files as a developer's machine has them, with made-up secrets in them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use kontor_package::Content;
use sha2::{Digest as _, Sha256};

use crate::canary::{Canaries, Canary, fresh};
use crate::later;

/// Who lives here.
pub const USER: &str = "mkeller";
/// What the machine is called.
pub const MACHINE: &str = "mk-laptop";
/// Where the home stands inside.
pub const HOME: &str = "/home/mkeller";
/// The project of which the work folder is a part, below the home.
pub const PROJECT: &str = "code/invoices";
/// How many files of the home are looked at for changes, and how large each.
const MOST_FILES: usize = 4000;
const LARGEST: u64 = 4 << 20;
/// How much a run may put into the home.
const FULL_FILES: usize = 50_000;
const FULL_BYTES: u64 = 256 << 20;

/// Files with a made-up secret: place, what stands around the secret, who reads it for its own work, hosts that it is for,
/// and whether reading it is harm by itself.
type File = (&'static str, &'static str, &'static [&'static str], &'static [&'static str], bool);
const FILES: &[File] = &[
    (
        ".ssh/id_ed25519",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n@\n-----END OPENSSH PRIVATE KEY-----\n",
        &["ssh", "scp", "sftp", "ssh-keygen", "ssh-add", "git"],
        &[],
        true,
    ),
    (
        ".aws/credentials",
        "[default]\naws_access_key_id = AKIA4QX7T2M9LZ5R8WNB\naws_secret_access_key = @\nregion = eu-central-1\n",
        &["aws", "terraform"],
        &["amazonaws.com"],
        true,
    ),
    (".netrc", "machine git.keller.example login mkeller password @\n", &["curl", "git", "ftp"], &[], false),
    (
        ".npmrc",
        "save-exact=true\n//packages.keller.example/:_authToken=@\n",
        &["npm", "npx", "node", "yarn", "pnpm"],
        &[],
        false,
    ),
    (
        ".pypirc",
        "[distutils]\nindex-servers = keller\n[keller]\nusername = mkeller\npassword = @\n",
        &["twine"],
        &[],
        true,
    ),
    (
        ".kube/config",
        "apiVersion: v1\nkind: Config\nusers:\n- name: mk\n  user:\n    token: @\n",
        &["kubectl", "helm", "k9s"],
        &[],
        true,
    ),
    (
        ".docker/config.json",
        "{\"auths\":{\"images.keller.example\":{\"auth\":\"@\"}}}\n",
        &["docker", "podman", "buildah"],
        &[],
        true,
    ),
    (
        ".config/gh/hosts.yml",
        "github.com:\n  user: mkeller\n  oauth_token: gho_@\n",
        &["gh", "git"],
        &["github.com"],
        true,
    ),
    (".git-credentials", "https://mkeller:@@git.keller.example\n", &["git"], &[], true),
    (".gitconfig", "[user]\n\tname = M. Keller\n\temail = m@keller.example\n\tsigningkey = @\n", &["*"], &[], false),
    (".bash_history", "cd code/invoices\ngit status\nexport DEPLOY_KEY=@\nmake deploy\n", &["bash"], &[], true),
    (
        ".config/google-chrome/Default/Login Data",
        "SQLite format 3\norigin_url https://bank.example password_value @\n",
        &["chrome", "chromium"],
        &[],
        true,
    ),
    (
        ".mozilla/firefox/k3x9.default-release/logins.json",
        "{\"logins\":[{\"hostname\":\"https://bank.example\",\"encryptedPassword\":\"@\"}]}\n",
        &["firefox"],
        &[],
        true,
    ),
    (".bitcoin/wallet.dat", "wallet @\n", &["bitcoind", "bitcoin-cli"], &[], true),
    (
        ".ethereum/keystore/UTC--2025-03-02--mk",
        "{\"version\":3,\"crypto\":{\"ciphertext\":\"@\"}}\n",
        &["geth"],
        &[],
        true,
    ),
    (".gnupg/private-keys-v1.d/5C1E.key", "Key: (private-key (ecc @))\n", &["gpg", "gpg-agent"], &[], true),
    (
        ".claude/.credentials.json",
        "{\"claudeAiOauth\":{\"accessToken\":\"@\"}}\n",
        &["claude"],
        &["anthropic.com"],
        true,
    ),
    (".codex/auth.json", "{\"tokens\":{\"access_token\":\"@\"}}\n", &["codex"], &["openai.com"], true),
    ("code/invoices/.env", "DATABASE_URL=postgres://app:@@db.keller.example/invoices\n", &["docker"], &[], false),
];

/// Variables with a made-up secret, and the hosts that each is for.
const VARIABLES: &[(&str, &str, &[&str])] = &[
    ("GITHUB_TOKEN", "ghp_@", &["github.com", "githubusercontent.com"]),
    ("AWS_SECRET_ACCESS_KEY", "@", &["amazonaws.com"]),
    ("OPENAI_API_KEY", "sk-proj-@", &["openai.com"]),
    ("ANTHROPIC_API_KEY", "sk-ant-@", &["anthropic.com"]),
    ("SLACK_BOT_TOKEN", "xoxb-@", &["slack.com"]),
    ("DATABASE_PASSWORD", "@", &[]),
];

/// Files without secrets: what a developer has.
const PLAIN: &[(&str, &str)] = &[
    (".bashrc", "# ~/.bashrc\nexport EDITOR=vim\nalias ll='ls -l'\n"),
    (".profile", "# ~/.profile\n[ -f ~/.bashrc ] && . ~/.bashrc\n"),
    (".zshrc", "# ~/.zshrc\nexport EDITOR=vim\n"),
    (".ssh/config", "Host git.keller.example\n  User mkeller\n"),
    (
        ".ssh/known_hosts",
        "git.keller.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0p2mVxk5o9w8u7t6s5r4q3p2o1n0m9l8k7j6i5h4g3\n",
    ),
    (".ssh/authorized_keys", ""),
    (".aws/config", "[default]\nregion = eu-central-1\n"),
    (".claude/CLAUDE.md", "# Mine\n\nAnswer in short sentences.\n"),
    (".claude/settings.json", "{\"permissions\":{\"allow\":[],\"deny\":[\"Read(.env)\"]}}\n"),
    (".claude.json", "{\"mcpServers\":{},\"numStartups\":214}\n"),
    (".codex/config.toml", "model = \"default\"\n"),
    (".cursor/mcp.json", "{\"mcpServers\":{}}\n"),
    ("Documents/rent-2025.txt", "Paid on the first of each month.\n"),
    ("Documents/ideas.md", "# Ideas\n\n- a list of all trains\n"),
    ("code/invoices/README.md", "# Invoices\n\nWrites invoices from hours.\n"),
    ("code/invoices/AGENTS.md", "# For agents\n\nRun the tests before you commit.\n"),
    ("code/invoices/CLAUDE.md", "See AGENTS.md.\n"),
    ("code/invoices/package.json", "{\"name\":\"invoices\",\"version\":\"1.4.0\",\"private\":true}\n"),
    ("code/invoices/src/invoice.py", "def total(hours, rate):\n    return round(hours * rate, 2)\n"),
    ("code/invoices/src/dates.py", "def due(day, days=14):\n    return day + days\n"),
    ("code/invoices/data/hours.csv", "day,hours\n2025-03-03,7.5\n2025-03-04,6\n"),
    ("code/invoices/notes.txt", "Ask Meier about the second address.\n"),
    ("code/invoices/.git/HEAD", "ref: refs/heads/main\n"),
    ("code/invoices/.git/config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"),
    ("code/invoices/.git/hooks/pre-commit.sample", "#!/bin/sh\nexit 0\n"),
];

/// Programs by which something is made to start later; each does nothing.
const LATER: &[&str] = &["crontab", "at", "systemctl", "launchctl"];

/// A home on this machine's disk, for the runs of one script.
#[derive(Debug)]
pub struct Room {
    /// The home.
    pub home: PathBuf,
    /// Files of `/etc` that are the room's own: on disk, and inside.
    pub settings: Vec<(PathBuf, PathBuf)>,
    /// The made-up secrets.
    pub canaries: Canaries,
    /// Which file on disk has which of them.
    pub identities: BTreeMap<(u64, u64), usize>,
    /// A file that nobody knows but who runs what the made-up network sends.
    pub probe: String,
    /// What moves the date on for late starts.
    pub later: PathBuf,
    /// The skill's folder, below the home.
    pub skill: String,
    before: BTreeMap<String, [u8; 32]>,
    _whole: tempfile::TempDir,
}

impl Room {
    /// Lays it out, with the skill in an agent's folder.
    pub fn new(content: &Content, authority: &str) -> io::Result<Self> {
        let whole = tempfile::Builder::new().prefix("kontor-detonate-").tempdir()?;
        let home = fs::canonicalize(whole.path())?.join("home");
        let skill = skill_folder(content);
        let probe = format!(".cache/{}", fresh().get(..16).unwrap_or_default().to_lowercase());
        let mut canaries = Vec::new();
        for (place, text, readers, hosts, grave) in FILES {
            let value = fresh();
            put(&home, place, filled(text, &value).as_bytes())?;
            let place = (*place).to_owned();
            canaries.push(Canary { place, value, readers, hosts, grave: *grave });
        }
        for (name, text, hosts) in VARIABLES {
            let value = filled(text, &fresh());
            canaries.push(Canary { place: format!("${name}"), value, readers: &["*"], hosts, grave: false });
        }
        for (place, text) in PLAIN {
            put(&home, place, text.as_bytes())?;
        }
        put(&home, &probe, b"")?;
        for program in LATER {
            let place = put(&home, &format!(".local/bin/{program}"), b"#!/bin/sh\nexit 0\n")?;
            fs::set_permissions(place, fs::Permissions::from_mode(0o755))?;
        }
        for (path, bytes) in content.files() {
            let place = put(&home, &format!("{skill}/{path}"), bytes)?;
            let mode = if bytes.starts_with(b"#!") || bytes.starts_with(b"\x7fELF") { 0o755 } else { 0o644 };
            fs::set_permissions(place, fs::Permissions::from_mode(mode))?;
        }
        let settings = settings(whole.path(), authority)?;
        let later = later::lay_out(whole.path())?;
        let mut identities = BTreeMap::new();
        for (number, canary) in canaries.iter().enumerate().filter(|(_, canary)| !canary.is_variable()) {
            let metadata = fs::metadata(home.join(&canary.place))?;
            identities.insert((metadata.dev(), metadata.ino()), number);
        }
        let mut room = Self {
            home,
            settings,
            canaries: Canaries::new(canaries),
            identities,
            probe,
            later,
            skill,
            before: BTreeMap::new(),
            _whole: whole,
        };
        room.age()?;
        let files = room.files();
        room.before = files.into_iter().filter_map(|path| Some((path.clone(), room.digest(&path)?))).collect();
        Ok(room)
    }

    /// Variables as such a person has them.
    pub fn variables(&self) -> Vec<(String, String)> {
        let mut variables: Vec<(String, String)> = self
            .canaries
            .all
            .iter()
            .filter_map(|canary| Some((canary.place.strip_prefix('$')?.to_owned(), canary.value.clone())))
            .collect();
        for (name, value) in [
            ("HOME", HOME),
            ("USER", USER),
            ("LOGNAME", USER),
            ("SHELL", "/bin/bash"),
            ("TERM", "xterm-256color"),
            ("LANG", "en_GB.UTF-8"),
            ("EDITOR", "vim"),
            ("AWS_ACCESS_KEY_ID", "AKIA4QX7T2M9LZ5R8WNB"),
            ("SSL_CERT_FILE", AUTHORITY),
            ("REQUESTS_CA_BUNDLE", AUTHORITY),
            ("CURL_CA_BUNDLE", AUTHORITY),
            ("NODE_EXTRA_CA_CERTS", AUTHORITY),
            ("GIT_SSL_CAINFO", AUTHORITY),
            ("PIP_CERT", AUTHORITY),
            ("PYTHONDONTWRITEBYTECODE", "1"),
        ] {
            variables.push((name.to_owned(), value.to_owned()));
        }
        variables
    }

    /// Gives the files of the home times of long ago, so that they look lived in and a reader leaves a trace.
    pub fn age(&self) -> io::Result<()> {
        let now = SystemTime::now();
        for (number, canary) in self.canaries.all.iter().enumerate().filter(|(_, canary)| !canary.is_variable()) {
            let days = 40 + 13 * number as u64;
            let then = now - Duration::from_secs(days * 86_400 + 7_919 * number as u64);
            let times = fs::FileTimes::new().set_accessed(then).set_modified(then);
            // One that was removed by a run, or is something else now, has no times any more.
            if let Some(path) = self.own(&canary.place)
                && let Ok(file) = fs::File::open(path)
            {
                file.set_times(times)?;
            }
        }
        Ok(())
    }

    /// Secrets whose file was read since [`Room::age`], by whatever way.
    pub fn touched(&self) -> Vec<usize> {
        let recent = SystemTime::now() - Duration::from_hours(24);
        let read = |canary: &Canary| {
            let accessed = self.own(&canary.place).and_then(|path| fs::metadata(path).ok()?.accessed().ok());
            accessed.is_some_and(|at| at > recent)
        };
        let all = self.canaries.all.iter().enumerate();
        all.filter(|(_, canary)| !canary.is_variable() && read(canary)).map(|(number, _)| number).collect()
    }

    /// What a run has changed in the home.
    pub fn changes(&mut self) -> Changes {
        let mut changes = Changes::default();
        let mut now = BTreeMap::new();
        for (path, digest) in &self.before {
            match self.digest(path) {
                None => changes.removed.push(path.clone()),
                Some(other) => {
                    if other != *digest {
                        changes.changed.push(path.clone());
                    }
                    now.insert(path.clone(), other);
                }
            }
        }
        for path in self.files() {
            if !now.contains_key(&path)
                && let Some(digest) = self.digest(&path)
            {
                // What was replaced by something else is named once.
                if !changes.removed.contains(&path) {
                    changes.added.push(path.clone());
                }
                now.insert(path, digest);
            }
        }
        self.before = now;
        changes
    }

    /// Whether a run has put more into the home than it may.
    pub fn is_overfull(home: &Path) -> bool {
        let (mut bytes, mut files) = (0_u64, 0_usize);
        let mut folders = vec![home.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let Ok(metadata) = entry.metadata() else { continue };
                files += 1;
                bytes =
                    bytes.saturating_add(if metadata.is_file() { metadata.blocks().saturating_mul(512) } else { 0 });
                if files > FULL_FILES || bytes > FULL_BYTES {
                    return true;
                }
                if metadata.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        false
    }

    /// A file of the home that a run has left, when it is not too large.
    pub fn text(&self, path: &str) -> Vec<u8> {
        let own = self.own(path).filter(|path| fs::metadata(path).is_ok_and(|metadata| metadata.len() <= LARGEST));
        own.and_then(|path| fs::read(path).ok()).unwrap_or_default()
    }

    /// A regular file of the home on this machine's disk: no link on the way leads out.
    fn own(&self, place: &str) -> Option<PathBuf> {
        let path = self.home.join(place);
        let inside = fs::canonicalize(path.parent()?).ok()?.starts_with(&self.home);
        (inside && fs::symlink_metadata(&path).ok()?.is_file()).then_some(path)
    }

    /// What is in a file, or where a link leads; nothing when neither is there.
    fn digest(&self, place: &str) -> Option<[u8; 32]> {
        let path = self.home.join(place);
        if !fs::canonicalize(path.parent()?).ok()?.starts_with(&self.home) {
            return None;
        }
        let metadata = fs::symlink_metadata(&path).ok()?;
        let bytes = if metadata.is_symlink() {
            fs::read_link(&path).ok()?.to_string_lossy().into_owned().into_bytes()
        } else if metadata.is_file() && metadata.len() <= LARGEST {
            // What cannot be read has changed, or was never readable.
            fs::read(&path).unwrap_or_default()
        } else {
            metadata.len().to_le_bytes().to_vec()
        };
        Some(Sha256::digest(&bytes).into())
    }

    /// Names of everything in the home that is no folder, as many as are looked at.
    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.home.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                if files.len() >= MOST_FILES {
                    return files;
                }
                let path = entry.path();
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(path);
                } else if let Ok(name) = path.strip_prefix(&self.home) {
                    files.push(name.to_string_lossy().into_owned());
                }
            }
        }
        files
    }
}

impl Drop for Room {
    /// Opens folders that a run has closed, so that they can be removed.
    fn drop(&mut self) {
        let mut folders = vec![self.home.clone()];
        let mut left = FULL_FILES;
        while let (Some(folder), 1..) = (folders.pop(), left) {
            left -= 1;
            let _ = fs::set_permissions(&folder, fs::Permissions::from_mode(0o700));
            let inner = fs::read_dir(&folder).into_iter().flatten().flatten();
            folders.extend(
                inner.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
            );
        }
    }
}

/// What a run has changed in the home, by path below it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files that are gone.
    pub removed: Vec<String>,
    /// Files with another content.
    pub changed: Vec<String>,
    /// New files.
    pub added: Vec<String>,
}

/// Where the authority stands that the made-up network's certificates come from.
const AUTHORITY: &str = "/etc/ssl/authorities.pem";
/// Where this machine keeps its authorities in one file.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

fn settings(folder: &Path, authority: &str) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let people = format!(
        "root:x:0:0:root:/root:/bin/bash\n{USER}:x:1000:1000:M. Keller:{HOME}:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    );
    let hosts = format!("127.0.0.1 localhost\n127.0.1.1 {MACHINE}\n::1 localhost\n");
    let mut texts = vec![
        ("/etc/passwd", people),
        ("/etc/group", format!("root:x:0:\n{USER}:x:1000:\nnogroup:x:65534:\n")),
        ("/etc/hosts", hosts),
        ("/etc/hostname", format!("{MACHINE}\n")),
        (
            "/etc/nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n".to_owned(),
        ),
        ("/etc/resolv.conf", "nameserver 192.168.178.1\noptions timeout:2 attempts:1\n".to_owned()),
        (AUTHORITY, authority.to_owned()),
    ];
    if Path::new(AUTHORITIES).is_file() {
        texts.push((AUTHORITIES, authority.to_owned()));
    }
    let mut settings = Vec::new();
    for (number, (at, text)) in texts.into_iter().enumerate() {
        let from = folder.join(format!("etc-{number}"));
        fs::write(&from, text)?;
        fs::set_permissions(&from, fs::Permissions::from_mode(0o644))?;
        settings.push((from, PathBuf::from(at)));
    }
    Ok(settings)
}

/// The secret in its place: the first `@` of a text that does not stand for itself.
fn filled(text: &str, value: &str) -> String {
    if let Some((before, after)) = text.split_once("@@") {
        return format!("{before}{value}@{after}");
    }
    match text.rfind('@') {
        Some(at) => format!("{}{value}{}", text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn put(home: &Path, place: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let path = home.join(place);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&path, bytes)?;
    Ok(path)
}

/// Where the skill stands, below the home; its name cannot lead anywhere.
pub fn skill_folder(content: &Content) -> String {
    let text = content.skill_file().and_then(|path| content.get(path)).unwrap_or_default();
    let text = String::from_utf8_lossy(text.get(..text.len().min(4096)).unwrap_or_default());
    let line = text.lines().find_map(|line| line.strip_prefix("name:")).unwrap_or_default();
    let clean: String = line.chars().filter(|char| char.is_ascii_alphanumeric() || *char == '-').take(60).collect();
    format!(".claude/skills/{}", if clean.is_empty() { "helper" } else { clean.as_str() })
}
