//! The few rules by which languages are told apart.

/// How a text between quotes is written.
#[derive(Debug, Clone, Copy)]
pub struct Quote {
    /// Its quotes, the same on both sides.
    pub mark: &'static str,
    /// Whether a backslash takes the next character's meaning away.
    pub escapes: bool,
    /// Whether it may go on in the next line.
    pub holds_lines: bool,
}

/// What is marked in a language.
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own, and most languages have one or none")]
#[derive(Debug, Default)]
pub struct Rules {
    /// What begins a comment until the end of the line.
    pub comments: &'static [&'static str],
    /// What begins and ends a comment of several lines.
    pub block: Option<(&'static str, &'static str)>,
    /// Quotes, the longest first.
    pub quotes: &'static [Quote],
    /// The words of the language.
    pub words: &'static [&'static str],
    /// Its constants.
    pub constants: &'static [&'static str],
    /// Whether a colon makes a key of what stands before it.
    pub has_keys: bool,
    /// Whether words hold hyphens and dots.
    pub has_dashes: bool,
    /// Whether lines in brackets are headers and an equals sign makes a key.
    pub has_tables: bool,
    /// Whether a dollar begins a variable.
    pub has_variables: bool,
    /// Whether single quotes stand around one character.
    pub has_characters: bool,
}

/// A language of files and of blocks of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Shells.
    Shell,
    /// Python.
    Python,
    /// JavaScript and TypeScript.
    JavaScript,
    /// JSON.
    Json,
    /// TOML and INI.
    Toml,
    /// YAML.
    Yaml,
    /// Rust.
    Rust,
    /// What looks like C: C++, C#, Go, Java, Kotlin, Swift, PHP.
    Braces,
    /// SQL.
    Sql,
    /// Markdown.
    Markdown,
}

const fn plain(mark: &'static str) -> Quote {
    Quote { mark, escapes: true, holds_lines: false }
}

const fn raw(mark: &'static str) -> Quote {
    Quote { mark, escapes: false, holds_lines: false }
}

const fn long(mark: &'static str) -> Quote {
    Quote { mark, escapes: true, holds_lines: true }
}

impl Language {
    /// The language of a file, by the end of its name.
    pub fn of_file(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name {
            "Makefile" | "Dockerfile" | "Justfile" => Some(Self::Shell),
            _ => name.rsplit_once('.').and_then(|(_, end)| Self::named(end)),
        }
    }

    /// The language that people call so.
    pub fn named(word: &str) -> Option<Self> {
        let word = word.split([' ', ',', '{', ':']).next().unwrap_or_default().to_ascii_lowercase();
        Some(match word.as_str() {
            "sh" | "bash" | "zsh" | "shell" | "console" | "fish" | "env" | "ps1" | "powershell" => Self::Shell,
            "py" | "python" | "python3" | "pyi" | "rb" | "ruby" => Self::Python,
            "js" | "mjs" | "cjs" | "ts" | "tsx" | "jsx" | "mts" | "javascript" | "typescript" | "node" => {
                Self::JavaScript
            }
            "json" | "jsonc" | "json5" | "jsonl" | "ipynb" => Self::Json,
            "toml" | "ini" | "cfg" | "conf" | "lock" => Self::Toml,
            "yaml" | "yml" => Self::Yaml,
            "rs" | "rust" => Self::Rust,
            "c" | "h" | "cc" | "cpp" | "hpp" | "c++" | "cs" | "csharp" | "go" | "golang" | "java" | "kt" | "kotlin"
            | "swift" | "php" | "css" | "scss" => Self::Braces,
            "sql" => Self::Sql,
            "md" | "markdown" | "mdx" => Self::Markdown,
            _ => return None,
        })
    }

    /// What is marked in it; Markdown is walked over by lines.
    pub const fn rules(self) -> Option<&'static Rules> {
        Some(match self {
            Self::Shell => &SHELL,
            Self::Python => &PYTHON,
            Self::JavaScript => &JAVASCRIPT,
            Self::Json => &JSON,
            Self::Toml => &TOML,
            Self::Yaml => &YAML,
            Self::Rust => &RUST,
            Self::Braces => &BRACES,
            Self::Sql => &SQL,
            Self::Markdown => return None,
        })
    }
}

/// What every language leaves out unless it says otherwise.
const NOTHING: Rules = Rules {
    comments: &[],
    block: None,
    quotes: &[],
    words: &[],
    constants: &[],
    has_keys: false,
    has_dashes: false,
    has_tables: false,
    has_variables: false,
    has_characters: false,
};

static SHELL: Rules = Rules {
    comments: &["#"],
    quotes: &[long("\""), Quote { mark: "'", escapes: false, holds_lines: true }],
    words: &[
        "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "function",
        "return", "exit", "local", "export", "set", "trap", "source", "cd", "echo", "sudo", "exec", "eval",
    ],
    has_variables: true,
    has_dashes: true,
    ..NOTHING
};

static PYTHON: Rules = Rules {
    comments: &["#"],
    quotes: &[long("\"\"\""), long("'''"), plain("\""), plain("'")],
    words: &[
        "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
        "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass",
        "raise", "return", "try", "while", "with", "yield", "match", "case",
    ],
    constants: &["None", "True", "False", "self", "nil"],
    ..NOTHING
};

static JAVASCRIPT: Rules = Rules {
    comments: &["//"],
    block: Some(("/*", "*/")),
    quotes: &[long("`"), plain("\""), plain("'")],
    words: &[
        "as",
        "async",
        "await",
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "export",
        "extends",
        "finally",
        "for",
        "from",
        "function",
        "if",
        "import",
        "in",
        "instanceof",
        "interface",
        "let",
        "new",
        "of",
        "return",
        "static",
        "super",
        "switch",
        "throw",
        "try",
        "type",
        "typeof",
        "var",
        "void",
        "while",
        "yield",
    ],
    constants: &["true", "false", "null", "undefined", "this", "NaN"],
    ..NOTHING
};

static JSON: Rules = Rules {
    comments: &["//"],
    quotes: &[plain("\"")],
    constants: &["true", "false", "null"],
    has_keys: true,
    ..NOTHING
};

static TOML: Rules = Rules {
    comments: &["#", ";"],
    quotes: &[long("\"\"\""), Quote { mark: "'''", escapes: false, holds_lines: true }, plain("\""), raw("'")],
    constants: &["true", "false"],
    has_dashes: true,
    has_tables: true,
    ..NOTHING
};

static YAML: Rules = Rules {
    comments: &["#"],
    quotes: &[plain("\""), raw("'")],
    constants: &["true", "false", "null", "yes", "no"],
    has_keys: true,
    has_dashes: true,
    ..NOTHING
};

static RUST: Rules = Rules {
    comments: &["//"],
    block: Some(("/*", "*/")),
    quotes: &[long("\"")],
    words: &[
        "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "fn", "for",
        "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "static", "struct",
        "super", "trait", "type", "unsafe", "use", "where", "while",
    ],
    constants: &["true", "false", "self", "Self", "None", "Some", "Ok", "Err"],
    has_characters: true,
    ..NOTHING
};

static BRACES: Rules = Rules {
    comments: &["//"],
    block: Some(("/*", "*/")),
    quotes: &[long("`"), plain("\""), plain("'")],
    words: &[
        "abstract",
        "break",
        "case",
        "catch",
        "chan",
        "class",
        "const",
        "continue",
        "default",
        "defer",
        "do",
        "else",
        "enum",
        "extends",
        "final",
        "finally",
        "for",
        "foreach",
        "fun",
        "func",
        "function",
        "go",
        "guard",
        "if",
        "implements",
        "import",
        "in",
        "include",
        "interface",
        "let",
        "map",
        "namespace",
        "new",
        "override",
        "package",
        "private",
        "protected",
        "public",
        "range",
        "return",
        "static",
        "struct",
        "switch",
        "template",
        "throw",
        "try",
        "type",
        "typedef",
        "union",
        "use",
        "using",
        "val",
        "var",
        "virtual",
        "void",
        "while",
    ],
    constants: &["true", "false", "null", "nil", "nullptr", "this", "self"],
    ..NOTHING
};

static SQL: Rules = Rules {
    comments: &["--"],
    block: Some(("/*", "*/")),
    quotes: &[Quote { mark: "'", escapes: false, holds_lines: true }, raw("\"")],
    words: &[
        "select", "from", "where", "join", "left", "on", "insert", "into", "values", "update", "set", "delete",
        "create", "table", "index", "drop", "alter", "group", "by", "order", "limit", "having", "as", "and", "or",
        "not", "in", "SELECT", "FROM", "WHERE", "JOIN", "LEFT", "ON", "INSERT", "INTO", "VALUES", "UPDATE", "SET",
        "DELETE", "CREATE", "TABLE", "INDEX", "DROP", "ALTER", "GROUP", "BY", "ORDER", "LIMIT", "HAVING", "AS", "AND",
        "OR", "NOT", "IN",
    ],
    constants: &["null", "true", "false", "NULL", "TRUE", "FALSE"],
    ..NOTHING
};
