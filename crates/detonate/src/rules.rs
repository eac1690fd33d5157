//! The rules that what was run is judged by.

use kontor_scan::{Finding, Rule, Severity};

/// One rule: id, severity unless something explains it, title, why, remedy, the same in public taxonomies.
type Row = (&'static str, Severity, &'static str, &'static str, &'static str, &'static [&'static str]);

const REMEDY: &str = "do not use it; read the script and what it decodes, and report it to its publisher";

const RULES: &[Row] = &[
    (
        "run.sends-secret",
        Severity::Critical,
        "when run, it sends away a secret that was put there for it to find",
        "the value was made up for this run and stood in one place: what sends it has read it there and chosen to send it",
        REMEDY,
        &["AITech-8.2", "T1041"],
    ),
    (
        "run.remote-control",
        Severity::Critical,
        "when run, it does what a host that it connects to tells it",
        "the host sent one line and the line was run: whoever has the other end has this machine",
        REMEDY,
        &["AITech-9.1", "T1059"],
    ),
    (
        "run.reads-secret",
        Severity::High,
        "when run, it reads a secret that nothing of its task explains",
        "it opened a file with a key or a password, by a program that has no use for it",
        "read what the script does with it; a skill that needs a key names it and lets the user give it",
        &["AITech-8.2", "T1552"],
    ),
    (
        "run.shows-secret",
        Severity::High,
        "when run, it prints a secret that was put there for it to find",
        "what a script prints is read by the agent, and goes wherever the conversation goes",
        "let it print names, never values",
        &["AITech-8.2", "T1552"],
    ),
    (
        "run.runs-download",
        Severity::High,
        "when run, it runs what it has just downloaded",
        "the made-up server sent a text that gives itself away when it is run, and it was: who has the server decides what happens here",
        "ship what it needs with the skill, or pin the download by its hash",
        &["AITech-9.3", "T1105"],
    ),
    (
        "run.calls-out",
        Severity::Medium,
        "when run, it talks to a host that none of its texts names",
        "who reads the skill cannot know of this host: its name is put together when the script runs",
        "name the host in the instructions and in the script, or take the call out",
        &["AITech-8.2", "T1071"],
    ),
    (
        "run.tampers",
        Severity::High,
        "when run, it changes what starts by itself or what agents are told",
        "start-up files, hooks, timers and agents' settings work on long after the skill was used",
        "let the user make such a change, and show it before",
        &["AITech-12.1", "T1547"],
    ),
    (
        "run.destroys",
        Severity::High,
        "when run, it removes or overwrites files that it did not make",
        "the files were a person's and nobody asked for it",
        REMEDY,
        &["T1485", "T1486"],
    ),
    (
        "run.rewrites-itself",
        Severity::Medium,
        "when run, it changes its own instructions or scripts",
        "what was looked at is not what is used from then on",
        "keep data beside the skill and its files as they were published",
        &["AITech-9.3"],
    ),
    (
        "run.reaches-for-kernel",
        Severity::High,
        "when run, it asks the system for what only an attack needs",
        "mounts, namespaces, other processes' memory and raw sockets have no place in a skill's script",
        REMEDY,
        &["T1611"],
    ),
    (
        "run.sleeps",
        Severity::Low,
        "when run, it waits for a long time first",
        "who watches a program for a short time sees nothing of what it does later; the wait was cut short here",
        "say in the instructions why it waits",
        &["T1497"],
    ),
];

/// The rules, as reports and SARIF list them.
pub fn rules() -> Vec<Rule> {
    RULES
        .iter()
        .map(|(id, severity, title, why, remedy, taxonomy)| Rule {
            id: (*id).to_owned(),
            severity: *severity,
            title: (*title).to_owned(),
            why: (*why).to_owned(),
            remedy: (*remedy).to_owned(),
            taxonomy: taxonomy.iter().map(|one| (*one).to_owned()).collect(),
            softens: true,
            negates: false,
            when: Vec::new(),
            example: Vec::new(),
            counter: Vec::new(),
        })
        .collect()
}

/// A finding by a rule; `softened` says why it weighs less than the rule does.
pub fn finding(id: &str, file: &str, evidence: &str, softened: Option<(Severity, &str)>) -> Option<Finding> {
    let (id, severity, title, why, remedy, _) = RULES.iter().find(|(known, ..)| *known == id)?;
    Some(Finding {
        rule: (*id).to_owned(),
        severity: softened.map_or(*severity, |(severity, _)| severity),
        file: file.to_owned(),
        line: 0,
        column: 0,
        message: (*title).to_owned(),
        excerpt: clean(evidence, 400),
        why: (*why).to_owned(),
        remedy: (*remedy).to_owned(),
        decoded: Vec::new(),
        softened: softened.map(|(_, why)| why.to_owned()).filter(|why| !why.is_empty()),
        waived: None,
    })
}

/// A foreign text without anything that could steer a terminal, and no longer than that.
pub fn clean(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (count, char) in text.chars().enumerate() {
        if count >= most {
            shown.push('…');
            break;
        }
        match char {
            '\n' | '\t' | '\r' => shown.push(' '),
            _ if char.is_control() || kontor_package::is_invisible(char) => shown.extend(char.escape_unicode()),
            _ => shown.push(char),
        }
    }
    shown
}
