//! The first page of help: the verbs by what people come for.

use std::fmt::Write as _;

use clap::Command;

const GROUPS: &[(&str, &[&str])] = &[
    ("Use skills", &["search", "info", "install", "list", "outdated", "update", "remove", "star", "report"]),
    (
        "Write skills",
        &[
            "new",
            "check",
            "pack",
            "publish",
            "yank",
            "deprecate",
            "tag",
            "visibility",
            "rename",
            "transfer",
            "delete",
            "undelete",
        ],
    ),
    ("Sign in", &["login", "logout", "whoami", "token"]),
    (
        "Run a hub",
        &[
            "up",
            "import",
            "person",
            "publisher",
            "audit",
            "fsck",
            "backup",
            "restore",
            "config",
            "doctor",
            "completions",
        ],
    ),
];

/// The command, its help showing the verbs in groups; a verb without a group comes last.
pub fn grouped(command: Command) -> Command {
    let verbs: Vec<(String, String)> = command
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set())
        .map(|verb| (verb.get_name().to_owned(), verb.get_about().map(ToString::to_string).unwrap_or_default()))
        .collect();
    let is_grouped = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let others: Vec<&str> = verbs.iter().map(|(name, _)| name.as_str()).filter(|name| !is_grouped(name)).collect();
    let mut text = String::new();
    for (title, names) in GROUPS.iter().copied().chain([("More", others.as_slice())]) {
        let known: Vec<_> = names.iter().filter_map(|name| verbs.iter().find(|(verb, _)| verb == name)).collect();
        if !known.is_empty() {
            let _ = write!(text, "\n{title}:\n");
        }
        for (name, about) in known {
            let _ = writeln!(text, "  {name:<13}{about}");
        }
    }
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{text}\n`kontor VERB --help` says all about one.\n\n\
         Options:\n{{options}}"
    ))
}
