//! What a file is, by its name and first bytes; bytes win where they are sure.

/// The languages that are parsed or read as scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// POSIX shells.
    Shell,
    /// Python.
    Python,
    /// JavaScript and its dialects.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// PowerShell and Windows batch files.
    PowerShell,
    /// Another programming language, read as text.
    Other,
}

impl Language {
    /// Whether programs in it are parsed.
    pub const fn is_parsed(self) -> bool {
        matches!(self, Self::Shell | Self::Python | Self::JavaScript | Self::TypeScript)
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text for people and agents.
    Prose,
    /// A program in source form.
    Script(Language),
    /// Settings and data: JSON, YAML, TOML and the like.
    Config,
    /// Other text.
    Text,
    /// A Jupyter notebook.
    Notebook,
    /// An archive, or a document that is one.
    Archive,
    /// A picture, sound, film or font.
    Media,
    /// A PDF document.
    Pdf,
    /// Compiled Python.
    Pyc,
    /// A compiled program.
    Native,
    /// Bytes that nothing here understands.
    Unknown,
}

impl Kind {
    /// The kind of the file at `path` with these bytes.
    pub fn of(path: &str, bytes: &[u8]) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if let Some(kind) = by_magic(bytes, extension) {
            return kind;
        }
        if is_binary(bytes) {
            return if extension == "pyc" || extension == "pyo" { Self::Pyc } else { Self::Unknown };
        }
        by_name(&name, extension, bytes)
    }
}

/// The language of a code block by the word behind its fence.
pub fn language_of_fence(word: &str) -> Option<Kind> {
    Some(match word {
        "sh" | "bash" | "shell" | "zsh" | "console" | "terminal" | "shell-session" | "shellsession" | "command"
        | "fish" => Kind::Script(Language::Shell),
        "python" | "py" | "python3" | "pycon" => Kind::Script(Language::Python),
        "javascript" | "js" | "jsx" | "mjs" | "cjs" | "node" => Kind::Script(Language::JavaScript),
        "typescript" | "ts" | "tsx" => Kind::Script(Language::TypeScript),
        "powershell" | "ps1" | "pwsh" | "ps" | "cmd" | "bat" | "batch" | "dos" => Kind::Script(Language::PowerShell),
        "json" | "jsonc" | "json5" | "yaml" | "yml" | "toml" | "ini" | "xml" | "env" | "dotenv" | "dockerfile"
        | "docker" => Kind::Config,
        "markdown" | "md" => Kind::Prose,
        "text" | "txt" | "plaintext" | "" => return None,
        _ => Kind::Script(Language::Other),
    })
}

fn by_magic(bytes: &[u8], extension: &str) -> Option<Kind> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") || starts(b"\x1f\x8b") || starts(b"\x28\xb5\x2f\xfd") {
        return Some(Kind::Archive);
    }
    if starts(b"BZh") || starts(b"\xfd7zXZ\0") || starts(b"7z\xbc\xaf\x27\x1c") || starts(b"Rar!\x1a\x07") {
        return Some(Kind::Archive);
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(Kind::Archive);
    }
    let native = starts(b"\x7fELF")
        || (starts(b"MZ") && is_binary(bytes))
        || starts(b"\0asm")
        || [&b"\xfe\xed\xfa\xce"[..], b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"]
            .iter()
            .any(|magic| starts(magic))
        || (starts(b"\xca\xfe\xba\xbe") && is_binary(bytes));
    if native {
        return Some(Kind::Native);
    }
    if starts(b"%PDF-") {
        return Some(Kind::Pdf);
    }
    if bytes.get(2..4) == Some(b"\r\n") && is_binary(bytes) && (extension == "pyc" || extension == "pyo") {
        return Some(Kind::Pyc);
    }
    crate::media::is_media(bytes).then_some(Kind::Media)
}

fn by_name(name: &str, extension: &str, bytes: &[u8]) -> Kind {
    match extension {
        "md" | "mdx" | "markdown" | "txt" | "rst" | "adoc" | "mdc" | "text" | "tmpl" | "j2" => return Kind::Prose,
        "sh" | "bash" | "zsh" | "ksh" | "command" | "fish" => return Kind::Script(Language::Shell),
        "py" | "pyw" | "pyi" => return Kind::Script(Language::Python),
        "js" | "mjs" | "cjs" | "jsx" => return Kind::Script(Language::JavaScript),
        "ts" | "tsx" | "mts" | "cts" => return Kind::Script(Language::TypeScript),
        "ps1" | "psm1" | "psd1" | "bat" | "cmd" => return Kind::Script(Language::PowerShell),
        "rb" | "pl" | "php" | "go" | "rs" | "java" | "kt" | "swift" | "c" | "h" | "cc" | "cpp" | "hpp" | "cs"
        | "lua" | "r" | "jl" | "scala" | "vbs" | "applescript" | "scpt" | "sol" | "dart" | "ex" | "exs" | "clj"
        | "m" | "sql" => {
            return Kind::Script(Language::Other);
        }
        "json" | "jsonc" | "json5" | "jsonl" | "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf" | "xml" | "env"
        | "plist" | "properties" | "lock" | "tf" | "service" => return Kind::Config,
        "ipynb" => return Kind::Notebook,
        _ => {}
    }
    if name.starts_with("dockerfile") || name.starts_with(".env") || name == "makefile" || name.ends_with("rc") {
        return Kind::Config;
    }
    by_first_line(bytes)
}

/// The interpreter that a script names in its first line.
fn by_first_line(bytes: &[u8]) -> Kind {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line.get(..line.len().min(200)).unwrap_or_default());
    let Some(command) = line.strip_prefix("#!") else { return Kind::Text };
    let has = |word: &str| command.contains(word);
    Kind::Script(match () {
        () if has("python") => Language::Python,
        () if has("node") || has("deno") || has("bun") => Language::JavaScript,
        () if has("pwsh") => Language::PowerShell,
        () if has("sh") => Language::Shell,
        () => Language::Other,
    })
}

/// Whether bytes are no text: a NUL in the first part that is no UTF-16, or many control characters.
fn is_binary(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return false;
    }
    let head = bytes.get(..bytes.len().min(65_536)).unwrap_or_default();
    let strange = head.iter().filter(|byte| matches!(byte, 0..=6 | 14..=26 | 28..=31)).count();
    strange * 20 > head.len() || (head.contains(&0) && strange > 3)
}
