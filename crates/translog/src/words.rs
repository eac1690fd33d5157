use kontor_crypto::Statement;
use serde_json::Value;

/// The words of other people are cut after this.
const LONGEST: usize = 300;
/// Most findings or files that are told one by one.
const LISTED: usize = 20;
/// The type of statements of ours, before their kind.
const OURS: &str = "urn:kontor:statement:";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// A statement in plain words. Parts of it are other people's words: whoever shows them must make them harmless.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Told {
    /// The kind, in one word: `provenance`, `scan`, `decision` …
    pub kind: String,
    /// What it calls the bytes.
    pub name: String,
    /// When it happened, as the statement says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What is said, in one sentence without a full stop.
    pub text: String,
    /// More about it, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Whether it was said later than it happened, from the hub's own records.
    pub backfilled: bool,
}

/// Tells a statement in plain words; of a kind that this program does not know, that it does not.
pub fn told(statement: &Statement) -> Told {
    let said = Said(&statement.predicate);
    let kind = match statement.predicate_type.as_str() {
        PROVENANCE => "provenance",
        other => other.strip_prefix(OURS).and_then(|kind| kind.strip_suffix(":v1")).unwrap_or(other),
    };
    let (text, details) = match kind {
        "provenance" => provenance(&said),
        "scan" => scan(&said),
        "decision" => decision(&said),
        "review" => (review(&said), Vec::new()),
        "yank" | "unyank" | "hide" | "restore" => (withdrawal(kind, &said), Vec::new()),
        "skill" => (deed(&said), Vec::new()),
        "signature" => ("the publisher signed these bytes under this name".to_owned(), Vec::new()),
        "key" => (holds(&said), Vec::new()),
        "key_revoke" => (revoked(&said), Vec::new()),
        "run" => ran(&said),
        "observed" => observed(&said),
        "policy" => (format!("another policy is in force, {}", said.text("policy")), Vec::new()),
        other => (format!("a statement of the type {}, which this program has no words for", clip(other)), Vec::new()),
    };
    let at = said
        .maybe("at")
        .or_else(|| said.maybe("signed_at"))
        .or_else(|| said.maybe("ended_at"))
        .or_else(|| said.inner("runDetails").inner("metadata").maybe("finishedOn"));
    let backfilled = said.0.get("backfilled").is_some_and(|mark| !mark.is_null())
        || said.inner("buildDefinition").inner("internalParameters").0.get("backfilled").is_some();
    let name = statement.subject.first().map(|subject| clip(&subject.name)).unwrap_or_default();
    Told { kind: clip(kind), name, at, text, details, backfilled }
}

/// A part of a predicate, read as leniently as words need.
struct Said<'v>(&'v Value);

impl<'v> Said<'v> {
    fn inner(&self, key: &str) -> Self {
        Self(self.0.get(key).unwrap_or(&Value::Null))
    }

    fn maybe(&self, key: &str) -> Option<String> {
        self.0.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(clip)
    }

    fn text(&self, key: &str) -> String {
        self.maybe(key).unwrap_or_else(|| "(not said)".to_owned())
    }

    fn list(&self, key: &str) -> &'v [Value] {
        self.0.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    fn count(&self, key: &str) -> u64 {
        self.0.get(key).and_then(Value::as_u64).unwrap_or(0)
    }

    fn is(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool) == Some(true)
    }

    /// Who did it; statements of what was done before the log existed may not know.
    fn by(&self) -> String {
        let unnamed = if self.0.get("by").is_some() { "the hub itself" } else { "somebody" };
        self.maybe("by").map_or_else(|| unnamed.to_owned(), |handle| format!("@{handle}"))
    }

    fn because(&self, key: &str) -> String {
        self.maybe(key).map(|reason| format!(", because: {reason}")).unwrap_or_default()
    }
}

fn holds(said: &Said<'_>) -> String {
    let vouched = said.maybe("endorsed_by").map(|key| format!("; the key {key} vouches for it")).unwrap_or_default();
    format!("@{} signs with the key {} from now on{vouched}", said.text("publisher"), said.text("key"))
}

fn revoked(said: &Said<'_>) -> String {
    let (publisher, key, from) = (said.text("publisher"), said.text("key"), said.text("from"));
    format!(
        "nothing that the key {key} of @{publisher} signed is to be believed from {from} on{}",
        said.because("reason")
    )
}

/// What runs were seen to do; what a program said of itself comes last.
fn observed(said: &Said<'_>) -> (String, Vec<String>) {
    const GRANTED: [(&str, &str); 2] =
        [("network", "was granted connections to"), ("secrets", "was given the secrets")];
    const MEASURED: [(&str, &str); 5] = [
        ("connected", "connected to"),
        ("refused", "was refused connections to"),
        ("wrote", "left files:"),
        ("started", "was started as"),
        ("ended", "ended so:"),
    ];
    const SAID: [(&str, &str); 3] = [
        ("hosts", "said that it misses the hosts"),
        ("variables", "said that it misses the variables"),
        ("programs", "said that it misses the programs"),
    ];
    let name = |one: &Value| {
        let runs = counted(Said(one).count("runs"), "run");
        let name = Said(one).maybe("name").unwrap_or_else(|| "others that its own files do not name".to_owned());
        format!("{name} ({runs})")
    };
    let part = |within: &Said<'_>, parts: &[(&str, &str)]| -> Vec<String> {
        let line = |(key, words): &(&str, &str)| {
            let names: Vec<String> = within.list(key).iter().take(LISTED).map(name).collect();
            (!names.is_empty()).then(|| format!("{words} {}", names.join(", ")))
        };
        parts.iter().filter_map(line).collect()
    };
    let mut details = part(&said.inner("granted"), &GRANTED);
    details.extend(part(said, &MEASURED));
    details.extend(part(&said.inner("said_to_want"), &SAID));
    (format!("seen in {} on the hub, told to {}", counted(said.count("runs"), "run"), said.text("told_to")), details)
}

/// A receipt of a run; its own verbs tell it whole.
fn ran(said: &Said<'_>) -> (String, Vec<String>) {
    let runner = said.inner("runner").maybe("person").map_or_else(|| "somebody".to_owned(), |who| format!("@{who}"));
    let ended = match said.inner("exit").text("outcome").as_str() {
        "done" => "ended well".to_owned(),
        other => format!("ended so: {other}"),
    };
    let connections = counted(said.list("connections").len() as u64, "connection");
    let text = format!("{runner} ran {} in a sandbox; it {ended}, {connections}", said.inner("entry").text("name"));
    (text, Vec::new())
}

fn provenance(said: &Said<'_>) -> (String, Vec<String>) {
    let parameters = said.inner("buildDefinition").inner("externalParameters");
    let by = parameters.maybe("by").map(|handle| format!(" by @{handle}")).unwrap_or_default();
    let name = format!("@{}/{}@{}", parameters.text("publisher"), parameters.text("skill"), parameters.text("version"));
    let source = parameters.inner("source");
    let from = source.maybe("url").map_or_else(
        || "the files were handed to the hub".to_owned(),
        |url| {
            let commit = source.maybe("commit").map(|commit| format!(" at commit {commit}")).unwrap_or_default();
            let path = source.maybe("path").map(|path| format!(", folder {path}")).unwrap_or_default();
            format!("the files came from {url}{commit}{path}")
        },
    );
    (format!("published as {name}{by}; {from}"), Vec::new())
}

fn scan(said: &Said<'_>) -> (String, Vec<String>) {
    let findings = said.list("findings");
    let many = (findings.len() as u64).saturating_add(said.count("more_findings"));
    let examined =
        if said.is("complete") { "every file was examined to its end" } else { "not everything was examined" };
    let text = format!(
        "the scanner's verdict is {}, its worst finding {}; {}, {examined}; rules {}",
        said.text("verdict"),
        said.text("severity"),
        counted(many, "finding"),
        said.text("rules")
    );
    let mut details: Vec<String> = findings.iter().take(LISTED).map(finding).collect();
    let rest = many.saturating_sub(details.len() as u64);
    if rest > 0 {
        details.push(format!("and {} more", counted(rest, "finding")));
    }
    let unexamined = said.list("unexamined").iter().take(LISTED).map(Said);
    details.extend(unexamined.map(|one| format!("not examined: {}: {}", one.text("file"), one.text("reason"))));
    if let Some(able) = capabilities(&said.inner("capabilities")) {
        details.push(format!("what it can do, as far as the scanner sees: {able}"));
    }
    (text, details)
}

fn finding(finding: &Value) -> String {
    let one = Said(finding);
    let place = match one.count("line") {
        0 => one.text("file"),
        line => format!("{}:{line}", one.text("file")),
    };
    format!("{}: {place}: {} ({})", one.text("severity"), one.text("message"), one.text("rule"))
}

/// What a capability profile names, in words; nothing when it names nothing.
fn capabilities(profile: &Said<'_>) -> Option<String> {
    const NAMED: [(&str, &str); 6] = [
        ("network", "talks to"),
        ("exec", "starts"),
        ("writes", "writes"),
        ("secrets", "reads secrets"),
        ("agent_configuration", "changes agents' settings"),
        ("downloads", "downloads"),
    ];
    let part = |(key, words): &(&str, &str)| {
        let names: Vec<String> = profile.list(key).iter().take(LISTED).filter_map(Value::as_str).map(clip).collect();
        (!names.is_empty()).then(|| format!("{words} {}", names.join(", ")))
    };
    let parts: Vec<String> = NAMED.iter().filter_map(part).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn decision(said: &Said<'_>) -> (String, Vec<String>) {
    let outcome = match said.text("outcome").as_str() {
        "admit" => "it was admitted: everybody who may see the skill may use it".to_owned(),
        "review" => "it was held until a person looks at it".to_owned(),
        "quarantine" => "it was put in quarantine until an administrator releases it".to_owned(),
        "reject" => "it was rejected".to_owned(),
        other => format!("the decision was {other}"),
    };
    let cause = match said.text("cause").as_str() {
        "publish" => "after it was published".to_owned(),
        "catalogue" => "when the rules or the policy had changed".to_owned(),
        "review" => "after a person's deed in its review".to_owned(),
        "appeal" => "after the publisher's appeal".to_owned(),
        "key" => "when the key that signed it had been revoked".to_owned(),
        "visibility" => "when the skill was opened to more people".to_owned(),
        other => format!("because of {other}"),
    };
    let reasons = said.list("reasons").iter().take(LISTED).map(Said);
    let mut details: Vec<String> =
        reasons.map(|reason| format!("because: {} (policy {})", reason.text("text"), reason.text("policy"))).collect();
    details.push(format!("decided by the policy with the digest {}", said.text("policy")));
    (format!("{outcome}, {cause}"), details)
}

fn review(said: &Said<'_>) -> String {
    let by = said.by();
    let role = if said.is("administrator") { ", as an administrator of the hub," } else { "" };
    let did = match said.text("decision").as_str() {
        "approve" => "approved it".to_owned(),
        "reject" => "refused it".to_owned(),
        "changes" => "asked the publisher for changes".to_owned(),
        "appeal" => return format!("{by} appealed for the publisher{}", commented(said)),
        other => format!("decided {other}"),
    };
    format!("{by}{role} {did} in the review; it covers findings up to {}{}", said.text("severity"), commented(said))
}

fn commented(said: &Said<'_>) -> String {
    said.maybe("comment").map(|digest| format!("; the words have the digest {digest}")).unwrap_or_default()
}

fn withdrawal(kind: &str, said: &Said<'_>) -> String {
    let did = match kind {
        "yank" => "withdrew it: it is no longer chosen, who names it still gets it",
        "unyank" => "took its withdrawal back",
        "hide" => "hid it from everybody but its maintainers",
        _ => "showed it again",
    };
    format!("{} {did}{}", said.by(), said.because("reason"))
}

fn deed(said: &Said<'_>) -> String {
    let (by, detail) = (said.by(), said.inner("detail"));
    match said.text("action").as_str() {
        "visibility" => format!("{by} set who may see the skill: {}", detail.text("visibility")),
        "hide" => format!("{by} hid the whole skill{}", detail.because("reason")),
        "restore" => format!("{by} showed the whole skill again"),
        "delete" => format!("{by} deleted the whole skill{}", detail.because("reason")),
        "undelete" => format!("{by} brought the deleted skill back"),
        "deprecate" => format!("{by} said that the skill should no longer be used: {}", detail.text("message")),
        "undeprecate" => format!("{by} said that the skill may be used again"),
        "rename" => format!("{by} named the skill {}", detail.text("to")),
        "merge" => format!("{by} merged the skill into {}", detail.text("into")),
        "transfer" => format!("{by} gave the skill from @{} to @{}", detail.text("from"), detail.text("to")),
        other => format!("{by} did this to the whole skill: {other}"),
    }
}

fn counted(count: u64, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Other people's words: one line, and not for ever.
fn clip(text: impl AsRef<str>) -> String {
    let line = |char: char| if char.is_control() { ' ' } else { char };
    let text = text.as_ref();
    let mut clipped: String = text.chars().take(LONGEST).map(line).collect();
    if text.chars().nth(LONGEST).is_some() {
        clipped.push('…');
    }
    clipped
}
