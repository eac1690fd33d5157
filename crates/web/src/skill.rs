//! The page of one skill: what it is, how to get it, what is in it.

mod about;
mod clients;
pub mod safety;
pub mod tools;
pub mod touches;

use kontor_front::LOGIN_PAGE;
use kontor_package::{Finding, Manifest};
use kontor_registry::observed::Behaved;
use kontor_registry::{Decision, ScanFinding, Signature, Verdict, VersionState};
use kontor_scan::Capabilities;
use kontor_types::{Handle, Slug, Timestamp, Version};
use maud::{Markup, PreEscaped, html};

use crate::words::{day, size};
use crate::{Language, Words, manage, script};

/// What the page of a skill shows.
#[derive(Debug, Clone)]
pub struct SkillPage {
    /// The hub's public address, without a slash at its end.
    pub hub: String,
    /// How often it was used of late, drawn.
    pub used: Markup,
    /// Whether the reader looks after it.
    pub maintained: bool,
    /// The owner.
    pub publisher: Handle,
    /// The name.
    pub slug: Slug,
    /// The name for people.
    pub name: String,
    /// What it does, in the reader's language where the author wrote it.
    pub description: String,
    /// Whether the description was taken from the text.
    pub description_derived: bool,
    /// SPDX expression or what the author wrote.
    pub license: Option<String>,
    /// Why it should no longer be used, and what to use instead.
    pub deprecation: Option<(String, Option<String>)>,
    /// Whether only some people see it.
    pub is_hidden_from_others: bool,
    /// Downloads, installs and stars.
    pub counts: [u64; 3],
    /// Free words.
    pub keywords: Vec<String>,
    /// The version that is shown.
    pub shown: Option<Shown>,
    /// The newest versions, newest first.
    pub versions: Vec<VersionLine>,
    /// What the reader's forms carry; none for who is not signed in.
    pub form: Option<String>,
    /// The number that is active for the reader's agents.
    pub active: Option<Version>,
}

/// The version whose text and files are shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The address of its own page.
    pub place: String,
    /// Its number.
    pub number: Version,
    /// The number that `latest` points to, when that is another one.
    pub latest: Option<Version>,
    /// That it was withdrawn, and why.
    pub withdrawn: Option<String>,
    /// When it was published.
    pub at: Timestamp,
    /// Bytes of its archive.
    pub size: u64,
    /// How many files it has.
    pub file_count: u64,
    /// SHA-256 of its canonical archive.
    pub digest: String,
    /// Who signed it.
    pub signature: Option<Signature>,
    /// Where the bytes came from, in a line.
    pub origin: Option<String>,
    /// The version of another skill whose text it repeats, as the reader may find it.
    pub copy_of: Option<String>,
    /// Whether it agrees with the open format.
    pub spec_valid: bool,
    /// What it says beside the open format.
    pub manifest: Manifest,
    /// What runs of it on this hub were seen to do, as far as the reader may see.
    pub observed: Behaved,
    /// What was noticed about its form.
    pub findings: Vec<Finding>,
    /// What the scanner said of it.
    pub verdict: Option<Verdict>,
    /// What the scanner found, worst first.
    pub evidence: Vec<ScanFinding>,
    /// Files that were not examined, and why.
    pub unexamined: Vec<(String, String)>,
    /// What was read of its abilities; none before a scan.
    pub capabilities: Option<Capabilities>,
    /// The newest decision about it.
    pub decision: Option<Decision>,
    /// Its typed tools.
    pub tools: Vec<tools::Tool>,
    /// Whether it brings a program that can be run.
    pub can_run: bool,
    /// Its text as safe HTML.
    pub text: String,
    /// Path, bytes and address of each file.
    pub files: Vec<(String, u64, String)>,
    /// How many more files there are.
    pub more_files: u64,
}

/// One line of the list of versions.
#[derive(Debug, Clone)]
pub struct VersionLine {
    /// Its number.
    pub number: Version,
    /// When it was published.
    pub at: Timestamp,
    /// What changed.
    pub changelog: String,
    /// Tags that point to it.
    pub tags: Vec<String>,
    /// That it was withdrawn, and why.
    pub withdrawn: Option<String>,
    /// How far it has come; its maintainers see those that were not admitted too.
    pub state: VersionState,
}

impl SkillPage {
    /// The page's body.
    pub fn body(&self, language: Language) -> Markup {
        let words = language.words();
        html! {
            p.trail { a href={ "/@" (self.publisher) } { "@" (self.publisher) } " / " (self.slug) }
            h1 { (self.name) }
            p.lead {
                bdi { (self.description) }
                @if self.description_derived { " " span.faint { (words.derived) } }
            }
            (self.warnings(words))
            @if let Some(shown) = &self.shown {
                (self.summary(language, shown))
                div.skill data-copy=(language.pick("Copy", "复制")) data-copied=(language.pick("Copied", "已复制")) {
                    aside {
                        (self.activation(language, shown))
                        (self.commands(language, shown))
                        (self.about(language, shown))
                    }
                    div.content {
                        @if !shown.tools.is_empty() {
                            section id="does" {
                                h2 { (language.pick("What it does", "它做什么")) }
                                (tools::shown(language, &shown.tools))
                            }
                        }
                        section id="touches" {
                            h2 { (language.pick("What it may touch", "它能接触什么")) }
                            (touches::touches(language, shown))
                        }
                        section id="safety" {
                            h2 { (language.pick("Is it safe?", "它安全吗？")) }
                            (safety::safety(language, shown))
                        }
                        section id="text" {
                            h2 { (words.text) }
                            div.text { (PreEscaped(&shown.text)) }
                        }
                        section id="files" { (files(language, shown)) }
                        section id="versions" { (self.history(language)) }
                        section id="used" {
                            h2 { (language.pick("How it is used", "使用情况")) }
                            (self.used)
                        }
                        section id="proofs" { (self.proofs(language, shown)) }
                        @if self.maintained {
                            p { a.button.quiet href={ (manage::address(&self.publisher)) "/skills/" (self.slug) } { (language.pick("Look after this skill", "管理此技能")) } }
                        }
                        p.faint {
                            a href={ (shown.place) "/report" } rel="nofollow" { (language.pick("Report this skill", "举报此技能")) }
                        }
                    }
                }
                (script::load("copy.js"))
            } @else {
                div.empty { p { (words.no_version) } }
                (self.history(language))
            }
        }
    }

    /// What is known of it in a line, and where on the page to read on.
    fn summary(&self, language: Language, shown: &Shown) -> Markup {
        let parts = [
            (!shown.tools.is_empty(), "#does", language.pick("What it does", "它做什么")),
            (true, "#touches", language.pick("What it may touch", "它能接触什么")),
            (true, "#safety", language.pick("Is it safe?", "它安全吗？")),
            (true, "#text", language.words().text),
            (true, "#files", language.words().files),
            (true, "#versions", language.words().versions),
            (true, "#proofs", language.pick("Check it yourself", "自己验证")),
        ];
        html! {
            div.row {
                a href="#safety" { (safety::badge(language, shown.verdict)) }
                span.badge { (shown.number) }
                span.badge { bdi { (self.license.as_deref().unwrap_or(language.pick("no licence stated", "未注明许可"))) } }
                @if shown.signature.as_ref().is_some_and(Signature::counts) {
                    span.badge.good { (language.pick("signed by its publisher", "发布者已签名")) }
                }
                span.faint { (self.counted(language)) }
            }
            nav.parts aria-label=(language.pick("On this page", "本页内容")) {
                @for (_, at, name) in parts.into_iter().filter(|(is_there, ..)| *is_there) { a href=(at) { (name) } }
            }
        }
    }

    /// Makes it live for the reader's agents, or ends that.
    fn activation(&self, language: Language, shown: &Shown) -> Markup {
        let is_active = self.active.as_ref() == Some(&shown.number);
        html! {
            section id="use" {
                @if shown.can_run { p { a.button href={ (shown.place) "/try" } { (language.pick("Try it", "试一试")) } } }
                h2 { (language.pick("Use it in your agents", "在您的智能体中使用")) }
                @if let Some(active) = &self.active {
                    p { span.badge.good { (language.pick("active", "已启用")) } " " (active) }
                }
                @match &self.form {
                    Some(form) => form method="post" action={ (shown.place) "/activate" } {
                        input type="hidden" name="form" value=(form);
                        div.row {
                            @if !is_active {
                                button type="submit" { @if self.active.is_some() { (language.pick("Use this version instead", "改用此版本")) } @else { (language.pick("Activate", "启用")) } }
                            }
                            @if self.active.is_some() {
                                button.danger type="submit" name="end" value="yes" { (language.pick("Deactivate", "停用")) }
                            }
                        }
                    },
                    None => p { a.button href=(LOGIN_PAGE) { (language.pick("Sign in to activate", "登录后启用")) } },
                }
                p.faint.small { (language.pick(
                    "Active means: every agent that you connected sees its tools. It may still do nothing without your consent, and you can end it here.",
                    "启用后，您连接的所有智能体都能看到它的工具。未经您同意，它仍不能做任何事；您可以随时在此停用。")) }
                details {
                    summary { (language.pick("Connect an agent", "连接智能体")) }
                    pre { code { "kontor connect claude --registry " (self.hub) } }
                    (clients::links(language, &self.hub))
                    p.faint.small { (language.pick("or add this MCP server in your client:", "或在客户端中添加此 MCP 服务器：")) }
                    pre { code { (self.hub) "/mcp" } }
                }
            }
        }
    }

    /// How a stranger checks it without believing this hub.
    fn proofs(&self, language: Language, shown: &Shown) -> Markup {
        let (hub, name) = (&self.hub, format!("@{}/{}@{}", self.publisher, self.slug, shown.number));
        let file = format!("{}-{}", self.slug, shown.number);
        html! {
            h2 { (language.pick("Check it yourself", "自己验证")) }
            p { (language.pick(
                "Every statement about this version is signed and in this hub's transparency log. These commands fetch the evidence and check it on your machine, without asking the hub again.",
                "关于此版本的每条声明都有签名，并记入本技能中心的透明日志。以下命令取得证据并在您的机器上检查，无需再询问技能中心。")) }
            pre tabindex="0" { code { "curl -s " (hub) "/log/keys > hub-keys.json\n"
                "kontor proof " (name) " --registry " (hub) "\n"
                "kontor verify " (file) ".proof.json --keys hub-keys.json" } }
            p { (language.pick("For an auditor, everything in one file:", "给审计者，全部内容在一个文件中：")) }
            pre tabindex="0" { code { "kontor evidence " (name) " --registry " (hub) "\n" "kontor verify " (file) ".evidence.zip --keys hub-keys.json" } }
            p.faint { (language.pick("Digest", "摘要")) " " code { "sha256:" (shown.digest) } }
        }
    }

    /// What somebody should know before they use it.
    fn warnings(&self, words: &Words) -> Markup {
        html! {
            @if let Some((message, successor)) = &self.deprecation {
                p.note {
                    b { (words.deprecated) } " " bdi { (message) }
                    @if let Some(other) = successor { br; (words.use_instead) " " a href={ "/" (other) } { (other) } }
                }
            }
            @if self.is_hidden_from_others { p.note { (words.hidden) } }
            @if let Some(shown) = &self.shown {
                @if let Some(reason) = &shown.withdrawn {
                    p.note {
                        b { (words.version_withdrawn) }
                        @if !reason.is_empty() { " " bdi { (reason) } }
                        @if let Some(latest) = &shown.latest { br; (words.newest_is) " " (self.link_to(latest)) }
                    }
                } @else if let Some(latest) = &shown.latest {
                    p.note { (words.not_newest) " " (self.link_to(latest)) }
                }
            }
        }
    }

    fn link_to(&self, latest: &Version) -> Markup {
        html! { a href={ "/@" (self.publisher) "/" (self.slug) } { (latest) } }
    }

    fn commands(&self, language: Language, shown: &Shown) -> Markup {
        let words = language.words();
        let (hub, name) = (&self.hub, format!("@{}/{}", self.publisher, self.slug));
        let number = shown.latest.as_ref().map(|_| &shown.number);
        let at = number.map(|number| format!("@{number}")).unwrap_or_default();
        let with = number.map(|number| format!(" --version {number}")).unwrap_or_default();
        let others = [
            ("clawhub", format!("npx clawhub --registry {hub} install {name}{with}")),
            ("openclaw", format!("OPENCLAW_CLAWHUB_URL={hub} openclaw skills install {name}{with}")),
            ("skills", format!("npx skills add {hub}/{name}{at}")),
        ];
        html! {
            h2 { (words.install) }
            pre { code { "kontor install " (name) (at) " --registry " (hub) } }
            details {
                summary { (words.other_clients) }
                @for (client, line) in others { p.faint { (client) } pre { code { (line) } } }
            }
        }
    }

    fn history(&self, language: Language) -> Markup {
        let words = language.words();
        html! {
            @if !self.versions.is_empty() {
                h2 { (words.versions) }
                @if self.versions.len() > 1 { (self.comparing(language)) }
                table {
                    thead { tr {
                        th scope="col" { (words.number) }
                        th scope="col" { (words.published) }
                        th scope="col" { (words.changes) }
                    } }
                    tbody { @for line in &self.versions { (self.version(words, line)) } }
                }
            }
        }
    }

    /// A form that compares two versions.
    fn comparing(&self, language: Language) -> Markup {
        let options = |chosen: usize| {
            html! { @for (place, line) in self.versions.iter().enumerate() {
                option value=(line.number) selected[place == chosen] { (line.number) }
            } }
        };
        html! {
            form.row method="get" action={ "/@" (self.publisher) "/" (self.slug) "/compare" } {
                label { (language.pick("From", "从")) " " select name="from" { (options(1)) } }
                label { (language.pick("to", "到")) " " select name="to" { (options(0)) } }
                button.quiet type="submit" { (language.pick("Compare", "比较")) }
            }
        }
    }

    fn version(&self, words: &Words, line: &VersionLine) -> Markup {
        html! {
            tr {
                td {
                    a href={ "/@" (self.publisher) "/" (self.slug) "@" (line.number) } { (line.number) }
                    @if !line.tags.is_empty() { " " span.faint { (line.tags.join(", ")) } }
                }
                td.day { time datetime=(line.at) { (day(line.at)) } }
                td {
                    @if let Some(state) = state(words, line.state) { b { (state) } br; }
                    @if let Some(reason) = &line.withdrawn {
                        b { (words.withdrawn) } @if !reason.is_empty() { ": " bdi { (reason) } } br;
                    }
                    bdi { (line.changelog) }
                }
            }
        }
    }
}

/// What is to be said of a version that others do not see.
const fn state(words: &Words, state: VersionState) -> Option<&'static str> {
    match state {
        VersionState::Visible => None,
        VersionState::Pending => Some(words.state_pending),
        VersionState::Held => Some(words.state_held),
        VersionState::Rejected => Some(words.state_rejected),
    }
}

fn files(language: Language, shown: &Shown) -> Markup {
    let words = language.words();
    html! {
        h2 { (words.files) }
        table {
            thead { tr { th scope="col" { (words.file) } th.number scope="col" { (words.size) } } }
            tbody {
                @for (path, bytes, address) in &shown.files {
                    tr { td { a href=(address) { bdi { (path) } } } td.number { (size(*bytes)) } }
                }
            }
        }
        @if shown.more_files > 0 { p.faint { (language.and_more(shown.more_files)) } }
    }
}
