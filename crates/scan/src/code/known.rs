//! What libraries and paths are known to be.

use super::values::Labels;

/// Files that hold secrets, wherever the home folder is.
const SECRET_PATHS: &[&str] = &[
    "/.ssh/",
    "~/.ssh",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    ".aws/credentials",
    ".aws/config",
    "/.aws",
    "~/.aws",
    ".netrc",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".kube/config",
    ".docker/config.json",
    ".config/gcloud",
    ".gnupg",
    "login.keychain",
    "wallet.dat",
    "login data",
    "cookies.sqlite",
    "key4.db",
    "logins.json",
    "/etc/shadow",
    ".config/gh/hosts",
    ".azure/accesstokens",
    "exodus.wallet",
    "electrum/wallets",
    "metamask",
    ".solana/id.json",
    ".ethereum/keystore",
    "local state",
    ".bash_history",
    ".zsh_history",
    "memory.md",
    "soul.md",
    "agent-identity.json",
    ".openclaw/identity",
    "auth-profiles.json",
    ".claude/.credentials.json",
    "/etc/passwd",
    ".config/solana",
];
/// Parts of paths that are secret only as a whole word.
const SECRET_PARTS: &[&str] = &[
    ".ssh",
    ".aws",
    ".gnupg",
    ".kube",
    "keychains",
    ".netrc",
    ".env",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    "id_rsa",
    "id_ed25519",
];
const AGENT_PATHS: &[&str] = &[
    ".claude/settings",
    ".claude/claude.md",
    "claude_desktop_config.json",
    ".cursor/mcp.json",
    ".codex/config.toml",
    ".gemini/settings.json",
    "soul.md",
    "heartbeat.md",
    ".openclaw/openclaw.json",
    ".claude/hooks",
    "/.mcp.json",
    "~/.claude.json",
    ".windsurf/mcp_config.json",
];
const START_PATHS: &[&str] = &[
    ".bashrc",
    ".zshrc",
    ".bash_profile",
    ".profile",
    ".zprofile",
    "authorized_keys",
    "/etc/cron",
    "launchagents",
    "launchdaemons",
    ".config/autostart",
    "start menu/programs/startup",
    "currentversion\\run",
    "/etc/rc.local",
    "/etc/sudoers",
    ".git/hooks/",
    "systemd/system",
    "systemd/user",
    "sitecustomize.py",
    "usercustomize.py",
];

/// What a text is, taken as a path.
pub fn labels_of_text(text: &str) -> Labels {
    if text.len() > 400 {
        return Labels::NONE;
    }
    let lower = text.to_ascii_lowercase().replace("\\\\", "/").replace("\\ ", " ");
    let has = |paths: &[&str]| paths.iter().any(|path| lower.contains(path));
    let mut labels = Labels::NONE;
    if (has(SECRET_PATHS) || SECRET_PARTS.contains(&lower.as_str()) || lower.ends_with("/.env"))
        && lower.rsplit('.').next() != Some("pub")
        && !lower.contains(".env.example")
        && !lower.contains("known_hosts")
    {
        labels |= Labels::SECRET_PATH;
    }
    if has(AGENT_PATHS) {
        labels |= Labels::AGENT_PATH;
    }
    if has(START_PATHS) {
        labels |= Labels::START_PATH;
    }
    labels
}

/// What a call does, by the full name of what is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Opens or reads a file.
    Reads,
    /// Writes a file.
    Writes,
    /// Sends something away and may bring an answer.
    Talks,
    /// Runs source code.
    RunsCode,
    /// Runs a command through a shell.
    RunsShell,
    /// Starts a program with a list of arguments.
    Starts,
    /// Decodes or unpacks.
    Decodes,
    /// Gives the whole environment.
    GivesEnvironment,
    /// Gives one variable.
    GivesVariable,
    /// Gives what the program was given.
    GivesInput,
    /// Writes what it downloads to a file.
    Downloads,
    /// Copies a file.
    Copies,
    /// Asks for the address of a name, which its owner's server sees.
    Resolves,
    /// Runs the code in a file.
    RunsFile,
    /// Makes one text of a collection.
    Packs,
    /// Gives a fact about the machine or its user.
    GivesHost,
    /// Nothing that is known.
    Other,
}

/// What a call of this full name does.
pub fn does(name: &str) -> Does {
    let last = name.rsplit('.').next().unwrap_or(name);
    let first = name.split('.').next().unwrap_or(name);
    match name {
        "open"
        | "io.open"
        | "codecs.open"
        | "shutil.copytree"
        | "shutil.make_archive"
        | "glob.glob"
        | "os.listdir"
        | "json.load"
        | "sqlite3.connect"
        | "Deno.readTextFile"
        | "Bun.file" => return Does::Reads,
        "exec"
        | "eval"
        | "compile"
        | "builtins.exec"
        | "builtins.eval"
        | "Function"
        | "vm.runInThisContext"
        | "vm.runInNewContext"
        | "vm.runInContext"
        | "window.eval"
        | "global.eval"
        | "globalThis.eval"
        | "__builtins__.exec"
        | "__builtins__.eval" => return Does::RunsCode,
        "os.system"
        | "os.popen"
        | "subprocess.getoutput"
        | "subprocess.getstatusoutput"
        | "child_process.exec"
        | "child_process.execSync"
        | "commands.getoutput"
        | "asyncio.create_subprocess_shell"
        | "execSync"
        | "execAsync" => return Does::RunsShell,
        "subprocess.run"
        | "subprocess.call"
        | "subprocess.check_call"
        | "subprocess.check_output"
        | "subprocess.Popen"
        | "os.execv"
        | "os.execvp"
        | "os.execl"
        | "os.execve"
        | "os.spawnl"
        | "os.startfile"
        | "child_process.spawn"
        | "child_process.spawnSync"
        | "child_process.execFile"
        | "child_process.execFileSync"
        | "child_process.fork"
        | "pty.spawn"
        | "asyncio.create_subprocess_exec"
        | "Deno.Command"
        | "Bun.spawn" => return Does::Starts,
        "urllib.request.urlretrieve" | "urllib.urlretrieve" | "wget.download" => return Does::Downloads,
        "os.environ.copy" => return Does::GivesEnvironment,
        "os.getenv" | "os.environ.get" | "Deno.env.get" | "os.environ.pop" | "os.environ.setdefault" => {
            return Does::GivesVariable;
        }
        "input" | "raw_input" | "sys.stdin.read" | "sys.stdin.readline" | "readline.question" => {
            return Does::GivesInput;
        }
        "fetch"
        | "axios"
        | "got"
        | "needle"
        | "request"
        | "urllib.request.urlopen"
        | "urllib.request.Request"
        | "urllib.urlopen"
        | "urllib2.urlopen"
        | "navigator.sendBeacon"
        | "smtplib.SMTP.sendmail" => return Does::Talks,
        "socket.getaddrinfo"
        | "socket.gethostbyname"
        | "dns.resolver.resolve"
        | "dns.resolver.query"
        | "dns.resolve"
        | "dns.resolve4"
        | "dns.resolveTxt"
        | "dns.promises.resolve"
        | "dns.lookup" => return Does::Resolves,
        "shutil.copy" | "shutil.copy2" | "shutil.copyfile" | "shutil.move" | "fs.copyFileSync" | "fs.copyFile" => {
            return Does::Copies;
        }
        "runpy.run_path"
        | "importlib.util.spec_from_file_location"
        | "importlib.machinery.SourceFileLoader"
        | "execfile" => return Does::RunsFile,
        "json.dumps"
        | "JSON.stringify"
        | "pickle.dumps"
        | "yaml.dump"
        | "urllib.parse.urlencode"
        | "base64.b64encode"
        | "btoa" => return Does::Packs,
        "socket.gethostname"
        | "socket.getfqdn"
        | "platform.node"
        | "platform.uname"
        | "getpass.getuser"
        | "os.getlogin"
        | "os.uname"
        | "uuid.getnode"
        | "os.hostname"
        | "os.userInfo"
        | "os.networkInterfaces" => {
            return Does::GivesHost;
        }
        "base64.b64decode"
        | "base64.b32decode"
        | "base64.b85decode"
        | "base64.a85decode"
        | "base64.urlsafe_b64decode"
        | "base64.decodebytes"
        | "binascii.unhexlify"
        | "binascii.a2b_base64"
        | "bytes.fromhex"
        | "bytearray.fromhex"
        | "zlib.decompress"
        | "gzip.decompress"
        | "lzma.decompress"
        | "bz2.decompress"
        | "codecs.decode"
        | "marshal.loads"
        | "pickle.loads"
        | "atob"
        | "chr"
        | "String.fromCharCode"
        | "unescape"
        | "zlib.inflateSync"
        | "zlib.gunzipSync"
        | "cryptography.fernet.Fernet.decrypt" => return Does::Decodes,
        _ => {}
    }
    let talker = matches!(
        first,
        "requests"
            | "httpx"
            | "aiohttp"
            | "axios"
            | "got"
            | "needle"
            | "superagent"
            | "urllib3"
            | "http"
            | "https"
            | "undici"
            | "ky"
            | "node-fetch"
    );
    match last {
        "get" | "post" | "put" | "patch" | "delete" | "request" | "head" | "urlopen" | "stream" if talker => {
            Does::Talks
        }
        "recv" | "recvfrom" | "sendall" | "sendto" | "sendmail" | "send_message" | "upload_file" | "upload_fileobj"
        | "put_object" | "storbinary" | "sendBeacon" | "sendDocument" => Does::Talks,
        "read_text" | "read_bytes" | "readFileSync" | "readFile" | "readTextFile" | "createReadStream"
        | "readdirSync" | "extractall" => Does::Reads,
        "write_text" | "write_bytes" | "writeFileSync" | "writeFile" | "appendFileSync" | "appendFile"
        | "writeTextFile" | "createWriteStream" => Does::Writes,
        "fromCharCode" | "b64decode" => Does::Decodes,
        "decrypt" if first == "Fernet" => Does::Decodes,
        _ => Does::Other,
    }
}

/// Names of methods that send when the program talks to a network at all.
pub fn sends_by_method(last: &str) -> bool {
    matches!(last, "post" | "put" | "patch" | "send" | "sendall" | "request" | "write" | "emit" | "upload" | "publish")
}

/// Whether a text names a library that talks to networks.
pub fn names_network(code: &str) -> bool {
    [
        "requests",
        "urllib",
        "httpx",
        "aiohttp",
        "http.client",
        "socket",
        "Socket",
        "'net'",
        "\"net\"",
        "node:net",
        "fetch(",
        "axios",
        "smtplib",
        "websocket",
        "WebSocket",
        "XMLHttpRequest",
        "ftplib",
        "paramiko",
        "http\"",
        "https'",
        "https\"",
        "http'",
    ]
    .iter()
    .any(|name| code.contains(name))
}

/// Whether a program is worth parsing: it names something that data can come from or go to.
pub fn worth_parsing(code: &str) -> bool {
    const SIGNS: &[&str] = &[
        "exec",
        "eval",
        "system",
        "subprocess",
        "child_process",
        "popen",
        "Popen",
        "spawn",
        "requests",
        "urllib",
        "http",
        "fetch",
        "axios",
        "socket",
        "environ",
        "process.env",
        "base64",
        "atob",
        "Buffer.from",
        "marshal",
        "pickle",
        "getattr",
        "__import__",
        "importlib",
        "new Function",
        ".ssh",
        ".aws",
        "open(",
        "readFile",
        "writeFile",
        "appendFile",
        "homedir",
        "expanduser",
        "shutil",
        "write_text",
        "read_text",
        "smtplib",
        "pynput",
        "pyperclip",
        "keyboard",
        "globals()",
        "globalThis",
        "getenv",
        "hostname",
    ];
    SIGNS.iter().any(|sign| code.contains(sign))
}

/// The same for a shell.
pub fn worth_parsing_shell(code: &str) -> bool {
    const SIGNS: &[&str] = &[
        "curl", "wget", "nc ", "ncat", "scp", "base64", "eval", "xxd", "openssl", "python", "node ", "bash", "sh ",
        "source", "install", "npm ", "ssh", "aws ", "env", "chmod", "rsync", "http", "nslookup", "dig ", "mail", "ftp",
        ">",
    ];
    SIGNS.iter().any(|sign| code.contains(sign))
}

/// Whether the name of an environment variable says that it is a secret.
pub fn is_secret_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "AUTH"].iter().any(|part| upper.contains(part))
}

/// Whether a call of this full name lists files.
pub fn lists(name: &str) -> bool {
    matches!(
        name.rsplit('.').next().unwrap_or(name),
        "glob" | "iglob" | "rglob" | "walk" | "listdir" | "iterdir" | "scandir" | "readdirSync" | "readdir"
    )
}

/// Names that stand for what a web server was asked, in a program that is one.
pub fn request_names(code: &str) -> &'static [&'static str] {
    if code.contains("flask") {
        &["flask.request", "request"]
    } else if code.contains("express") || code.contains("createServer") {
        &["req", "ctx.request"]
    } else {
        &[]
    }
}

/// Whether a name stands for a part of a request.
pub fn is_request(name: &str, requests: &[&str]) -> bool {
    const PARTS: &[&str] = &["json", "data", "form", "args", "values", "get_json", "body", "query", "params"];
    !requests.is_empty()
        && name.rsplit_once('.').is_some_and(|(object, part)| requests.contains(&object) && PARTS.contains(&part))
}

/// What the paths of secret and of found files stand for in a program that makes archives.
pub fn archived(code: &str) -> Labels {
    let makes = ["zipfile", "tarfile"].iter().any(|name| code.contains(name));
    if makes { Labels::SECRET | Labels::FILE } else { Labels::NONE }
}

/// The host that a text is, without a scheme and with at most a path behind it.
pub fn bare_host(text: &str) -> Option<String> {
    const ENDS: &[&str] = &[
        "com", "net", "org", "io", "dev", "example", "cloud", "site", "online", "xyz", "app", "ru", "cn", "top", "me",
    ];
    let host = text.split('/').next().unwrap_or(text);
    let (name, end) = host.rsplit_once('.')?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    (ENDS.contains(&end) && name.len() > 3 && host.len() < 100 && name.bytes().all(plain)).then(|| host.to_owned())
}

/// The host of the first web address in a text.
pub fn host_of(text: &str) -> Option<String> {
    let start = text.find("://")? + 3;
    let rest = text.get(start..)?;
    let end = rest
        .find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | ':' | '@' | '[' | ']')))
        .unwrap_or(rest.len());
    let authority = rest.get(..end)?.rsplit('@').next()?;
    let host = authority.split(':').next().unwrap_or(authority).trim_end_matches('.').to_ascii_lowercase();
    (host.len() > 2 && host.contains('.')).then_some(host)
}
