//! The first page of help: the verbs by what people come for.

use std::fmt::Write as _;

use clap::Command;

const GROUPS: &[(&str, &[&str])] = &[
    (
        "Use skills",
        &[
            "search",
            "info",
            "install",
            "list",
            "installed",
            "outdated",
            "update",
            "remove",
            "scan",
            "sandbox",
            "run",
            "runs",
            "workflows",
            "receipt",
            "explain",
            "consent",
            "proof",
            "verify",
            "evidence",
            "sbom",
            "star",
            "report",
        ],
    ),
    (
        "Write skills",
        &[
            "new",
            "check",
            "pack",
            "publish",
            "key",
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
    ("Buy", &["ask", "errand", "checkout", "mandate", "purse", "merchant", "demo"]),
    ("Agents", &["connect", "activate", "deactivate", "mcp"]),
    ("Sign in", &["login", "logout", "whoami", "token"]),
    (
        "Run a hub",
        &[
            "up",
            "worker",
            "import",
            "person",
            "publisher",
            "secret",
            "budget",
            "usage",
            "policy",
            "review",
            "audit",
            "ledger",
            "fsck",
            "backup",
            "restore",
            "log",
            "config",
            "doctor",
            "completions",
        ],
    ),
];

/// What people type first, below the options of a verb.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("up", &["kontor up", "kontor up --data /srv/kontor --listen 127.0.0.1:8080"]),
    ("new", &["kontor new invoice-reader -d \"Reads invoices. Use when somebody has one.\""]),
    ("check", &["kontor check", "kontor check --strict ./skills"]),
    ("publish", &["kontor publish ./invoice-reader --changelog \"Reads credit notes too\""]),
    ("scan", &["kontor scan ./invoice-reader", "kontor scan --installed"]),
    (
        "import",
        &[
            "kontor import ./skills --publisher team",
            "kontor import https://git.example.com/team/skills.git --publisher team",
            "kontor import npm:ecc-universal@2.0.0 --publisher ecc --on-conflict rename",
            "kontor import clawhub:https://hub.example.com --publisher-by-top-folder",
        ],
    ),
    ("search", &["kontor search meeting minutes", "kontor search 会议纪要"]),
    ("info", &["kontor info @kontor/meeting-minutes --versions", "kontor info @kontor/meeting-minutes --text"]),
    (
        "install",
        &[
            "kontor install @kontor/meeting-minutes --agent claude-code",
            "kontor install @acme/pdf@^1.2 --agent codex,cursor --global",
            "kontor install --frozen",
        ],
    ),
    (
        "installed",
        &["kontor installed check", "kontor installed check --global --json", "kontor installed check --quarantine"],
    ),
    (
        "sandbox",
        &[
            "kontor sandbox -- python3 -c 'print(1)'",
            "kontor sandbox --work ./out --read ./data --wall 30s -- bash script.sh",
            "kontor sandbox --net api.example.com:443 --env API_TOKEN --json outcome.json -- node fetch.js",
        ],
    ),
    (
        "run",
        &[
            "kontor run @kontor/meeting-minutes extract --describe",
            "kontor run @kontor/meeting-minutes extract --input meeting.json",
            "kontor run ./some-skill --script scripts/report.py --file numbers.csv --out made -- numbers.csv",
            "kontor run @acme/pdf convert --input in.json --yes --for once",
        ],
    ),
    ("receipt", &["kontor receipt list", "kontor receipt verify last --with minutes.json"]),
    ("explain", &["kontor explain last", "kontor explain ERRAND"]),
    (
        "ask",
        &[
            "kontor ask \"order me a milk tea under ¥20 to the office\"",
            "kontor ask \"帮我点一杯二十元以内的奶茶\" --to 办公室",
            "kontor ask \"a milk tea under ¥20\" --to \"the office\" --mandate MANDATE --yes",
        ],
    ),
    ("errand", &["kontor errand list", "kontor errand resume ERRAND", "kontor errand cancel ERRAND"]),
    ("consent", &["kontor consent list", "kontor consent revoke @acme/pdf@1.2.0"]),
    (
        "connect",
        &[
            "kontor connect claude cursor",
            "kontor connect codex --dry-run",
            "kontor connect codex --undo",
            "kontor connect openclaw --tools search_skills,get_skill",
        ],
    ),
    ("activate", &["kontor activate @kontor/meeting-minutes"]),
    ("mcp", &["kontor mcp", "kontor mcp --registry https://skills.example.com --tools search_skills,get_skill"]),
    (
        "run",
        &[
            "kontor run ./my-skill --script scripts/x.py -- --help",
            "kontor run @acme/pdf convert --input in.json --out ./result",
            "kontor run @acme/pdf convert --input in.json --on hub",
        ],
    ),
    ("workflows", &["kontor workflows list --state stalled", "kontor workflows answer WORKFLOW confirm true"]),
    ("runs", &["kontor runs list --state running", "kontor runs fetch RUN --out ./result"]),
    ("login", &["kontor login", "kontor login --prompt --registry https://skills.example.com"]),
    ("token", &["kontor token new --scope read,publish --label ci --days 30"]),
    ("audit", &["kontor audit --since 2026-11-01 --subject @acme/pdf"]),
];

/// A verb with its examples behind its help.
pub fn with_examples(verb: Command, name: &str) -> Command {
    match EXAMPLES.iter().find(|(known, _)| *known == name) {
        Some((_, lines)) => verb.after_help(format!("Examples:\n  {}", lines.join("\n  "))),
        None => verb,
    }
}

/// The command, its help showing the verbs in groups; a verb without a group comes last.
pub fn grouped(command: Command) -> Command {
    let command = EXAMPLES
        .iter()
        .fold(command, |command, (verb, _)| command.mut_subcommand(verb, |found| with_examples(found, verb)));
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
