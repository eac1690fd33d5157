//! The page on which a skill is tried.

use kontor_dispatch::Offer;
use kontor_front::LOGIN_PAGE;
use kontor_types::{Handle, RunId};
use maud::{Markup, html};
use serde_json::Value;

use super::form::{Field, Form, Kind, Problem, Wrong, file_key, key};
use super::typed::Typed;
use crate::runs::told;
use crate::words::size;
use crate::{Language, open};

/// Fields beside those of the input, as places of problems.
pub const GRANT: usize = usize::MAX;
/// Further hosts.
pub const NETWORK: usize = usize::MAX - 1;
/// The field of the files that a run finds in its work folder.
pub const FILES: &str = "files";

/// What is run.
pub enum Thing {
    /// A tool with a schema.
    Tool {
        /// Its name.
        name: String,
        /// What it does.
        description: Option<String>,
        /// The path of its schema.
        schema: String,
        /// The form for that.
        form: Form,
    },
    /// A tool without one: it reads whatever it is given.
    Plain {
        /// Its name.
        name: String,
        /// What it does.
        description: Option<String>,
    },
    /// A script.
    Script(String),
    /// The skill brings no program.
    Nothing,
}

/// Everything that the page shows.
pub struct Sheet {
    pub language: Language,
    /// Runs of one person at a time, and in a day.
    pub settings: (u32, u32),
    pub token: Option<String>,
    pub nonce: RunId,
    pub publisher: Option<Handle>,
    pub offer: Offer,
    pub thing: Thing,
    pub samples: Vec<(String, Value)>,
    pub sample: Option<String>,
    pub names: Vec<Handle>,
    pub typed: Typed,
    pub problems: Vec<Problem>,
    pub refused: Option<String>,
    pub missing: Vec<String>,
}

impl Sheet {
    /// Whether the skill asks for more than its own files.
    pub fn asks(&self) -> bool {
        !self.offer.granted.network.is_empty() || !self.offer.granted.secrets.is_empty()
    }

    /// What the page is called.
    pub fn title(&self) -> String {
        let name = &self.offer.found.skill.display_name;
        match self.language {
            Language::English => format!("Try {name}"),
            Language::Chinese => format!("试用 {name}"),
        }
    }

    /// The page.
    pub fn body(&self) -> Markup {
        let language = self.language;
        let place = open::place(&self.offer.found);
        html! {
            p.trail { a href=(place) { (self.offer.found.reference()) } }
            h1 { (self.title()) }
            (self.wrong())
            (self.choices(&place))
            @match &self.thing {
                Thing::Nothing => div.empty {
                    p { (language.pick("This skill brings no program: it is text for your agent to read.", "此技能不含程序，只是供智能体阅读的文字。")) }
                    p { a.button href={ (place) "#use" } { (language.pick("Use it in your agents", "在您的智能体中使用")) } }
                },
                _ => @match (&self.token, &self.offer.refused) {
                    (None, _) => (self.signed_out()),
                    (Some(_), Some(error)) => {
                        (self.touches())
                        p.note.bad { b { (language.pick("You cannot run it here.", "您不能在此运行。")) } " " span lang="en" { (error) } }
                    }
                    (Some(token), None) => (self.form(&place, token)),
                },
            }
        }
    }

    /// The sample that stands there before one is chosen: the first in the reader's language, else the first.
    pub fn offered(&self) -> Option<&(String, Value)> {
        self.samples.iter().find(|(_, input)| Language::written(input) == self.language).or(self.samples.first())
    }

    fn signed_out(&self) -> Markup {
        let language = self.language;
        html! {
            (self.touches())
            @if let Some((name, input)) = self.offered() {
                section {
                    h2 { (language.pick("With this sample it would start", "将以此样例开始")) " " span.faint { (name) } }
                    pre tabindex="0" { code { (told::clipped(&serde_json::to_string_pretty(input).unwrap_or_default(), 2_400)) } }
                }
            }
            p.note {
                (language.pick("A run is always somebody's, so that it can be limited and answered for.", "每次运行都归于某个人，以便限量和负责。")) br;
                a.button href=(LOGIN_PAGE) { (language.pick("Sign in to try it", "登录后试用")) }
            }
        }
    }

    /// What was wrong, first of all, each with a way to its field.
    fn wrong(&self) -> Markup {
        let language = self.language;
        html! {
            @if !self.problems.is_empty() || self.refused.is_some() || !self.missing.is_empty() {
                div.note.bad role="alert" {
                    p { b { (language.pick("It was not started.", "尚未开始运行。")) } }
                    @if let Some(text) = &self.refused { p lang="en" { (text) } }
                    @if !self.missing.is_empty() {
                        p { a href="#agree" { (language.pick("It would get more than its author declares. Read below and agree, or take it out.", "这超出了作者声明的范围。请阅读下文并同意，或将其删去。")) } }
                    }
                    @if !self.problems.is_empty() {
                        ul.plain { @for (place, wrong) in &self.problems { li { (self.pointed(*place)) (self.said(wrong)) } } }
                    }
                }
            }
        }
    }

    fn pointed(&self, place: Option<usize>) -> Markup {
        let form = if let Thing::Tool { form, .. } = &self.thing { Some(form) } else { None };
        html! {
            @match place {
                Some(GRANT) => { a href="#may" { (self.language.pick("What it may touch", "它能接触什么")) } ": " }
                Some(NETWORK) => { a href="#network" { (self.language.pick("Further hosts", "其他主机")) } ": " }
                Some(place) => @if let Some(field) = form.and_then(|form| form.fields.get(place)) {
                    @if !field.name.is_empty() { a href={ "#" (key(place)) } { (field.name) } ": " }
                },
                None => {}
            }
        }
    }

    fn said(&self, wrong: &Wrong) -> Markup {
        let language = self.language;
        html! { @match wrong {
            Wrong::Needed => (language.pick("this is needed", "此项必填")),
            Wrong::Number => (language.pick("this is not a number", "这不是数字")),
            Wrong::Whole => (language.pick("a whole number is needed", "需要整数")),
            Wrong::Choice => (language.pick("choose one of those that are offered", "请从所列选项中选择")),
            Wrong::NoText => (language.pick("the file is not a text", "该文件不是文本")),
            Wrong::Json(text) => { (language.pick("this is not JSON: ", "这不是有效的 JSON：")) span lang="en" { (text) } }
            Wrong::Schema(text) => span lang="en" { (text) },
        } }
    }

    /// The tools, scripts and samples there are.
    fn choices(&self, place: &str) -> Markup {
        let (language, tools) = (self.language, &self.offer.manifest.tools);
        let (tool, script) = match &self.thing {
            Thing::Tool { name, .. } | Thing::Plain { name, .. } => (Some(name), None),
            Thing::Script(path) => (None, Some(path)),
            Thing::Nothing => (None, None),
        };
        let description = match &self.thing {
            Thing::Tool { description, .. } | Thing::Plain { description, .. } => description.as_deref(),
            _ => None,
        };
        html! {
            @if let Some(text) = description { p.lead { bdi { (text) } } }
            @if tools.len() > 1 || (tools.is_empty() && self.offer.scripts.len() > 1) {
                nav aria-label=(language.pick("What to run", "运行什么")) {
                    ul.chips {
                        @for one in tools { li { a href={ (place) "/try?tool=" (encoded(&one.name)) } aria-current=[(tool == Some(&one.name)).then_some("true")] { (one.name) } } }
                        @if tools.is_empty() {
                            @for one in self.offer.scripts.iter().take(40) { li { a href={ (place) "/try?script=" (encoded(one)) } aria-current=[(script == Some(one)).then_some("true")] { (one) } } }
                        }
                    }
                }
            }
            @if let (Some(tool), true, true) = (tool, !self.samples.is_empty(), self.token.is_some() && self.problems.is_empty()) {
                nav.row aria-label=(language.pick("Samples", "样例")) {
                    span.faint { (language.pick("Sample:", "样例：")) }
                    @for (name, _) in &self.samples {
                        a href={ (place) "/try?tool=" (encoded(tool)) "&sample=" (encoded(name)) } aria-current=[(self.sample.as_ref() == Some(name)).then_some("true")] { (name) }
                    }
                    a href={ (place) "/try?tool=" (encoded(tool)) "&sample=" } aria-current=[self.sample.is_none().then_some("true")] {
                        (language.pick("none, my own", "不用样例"))
                    }
                }
            }
        }
    }

    fn form(&self, place: &str, token: &str) -> Markup {
        let language = self.language;
        let hidden = |name: &str, value: &str| html! { input type="hidden" name=(name) value=(value); };
        html! {
            (self.in_whose_name(place))
            form.trial method="post" action={ (place) "/try" } enctype="multipart/form-data" novalidate {
                (hidden("form", token))
                (hidden("run", &self.nonce.to_string()))
                @if let Some(publisher) = &self.publisher { (hidden("publisher", publisher.as_ref())) }
                @match &self.thing {
                    Thing::Tool { name, form, .. } => { (hidden("tool", name)) (self.fields(form)) }
                    Thing::Plain { name, .. } => { (hidden("tool", name)) (self.plain()) }
                    Thing::Script(path) => { (hidden("script", path)) (self.script(path)) }
                    Thing::Nothing => {}
                }
                (self.files())
                (self.touches())
                (self.agreement())
                (self.more())
                p { button type="submit" { (language.pick("Run it", "运行")) } }
                p.faint.small { (self.share()) }
            }
        }
    }

    fn share(&self) -> String {
        let (open, daily) = self.settings;
        match self.language {
            Language::English => format!(
                "It runs on this hub, in a sandbox, and costs nothing. You may have {open} runs at a time and {daily} in 24 hours."
            ),
            Language::Chinese => {
                format!("在本技能中心的沙箱中运行，不收费。您最多可同时运行 {open} 次，24 小时内 {daily} 次。")
            }
        }
    }

    /// Chooses the publisher whose rules, secrets and share count.
    fn in_whose_name(&self, place: &str) -> Markup {
        let language = self.language;
        html! {
            @if self.names.len() > 1 {
                form.row method="get" action={ (place) "/try" } {
                    @match &self.thing {
                        Thing::Tool { name, .. } | Thing::Plain { name, .. } => input type="hidden" name="tool" value=(name);,
                        Thing::Script(path) => input type="hidden" name="script" value=(path);,
                        Thing::Nothing => {}
                    }
                    label { (language.pick("In the name of", "以谁的名义")) " "
                        select name="publisher" { @for name in &self.names {
                            option value=(name) selected[self.publisher.as_ref() == Some(name)] { "@" (name) }
                        } } }
                    button.quiet type="submit" { (language.pick("Change", "更改")) }
                }
            }
        }
    }

    fn fields(&self, form: &Form) -> Markup {
        let language = self.language;
        let filled = |place: &usize| !self.typed.text(&key(*place)).is_empty() || self.problem(*place).is_some();
        let (needed, other): (Vec<usize>, Vec<usize>) =
            (0..form.fields.len()).partition(|place| form.fields.get(*place).is_some_and(|field| field.needed));
        let (shown, folded) = if needed.is_empty() { (other, Vec::new()) } else { (needed, other) };
        html! {
            h2 { (language.pick("What it works on", "输入内容")) }
            @for place in &shown { (self.field(form, *place)) }
            @if !folded.is_empty() {
                details open[folded.iter().any(filled)] {
                    summary { (language.pick("More that it can be told", "更多可选内容")) " (" (folded.len()) ")" }
                    @for place in &folded { (self.field(form, *place)) }
                }
            }
        }
    }

    fn problem(&self, place: usize) -> Option<&Wrong> {
        self.problems.iter().find(|(at, _)| *at == Some(place)).map(|(_, wrong)| wrong)
    }

    fn field(&self, form: &Form, place: usize) -> Markup {
        let (language, at) = (self.language, key(place));
        let Some(field) = form.fields.get(place) else { return html! {} };
        let (says, bad) = (format!("{at}-says"), self.problem(place));
        let name = if form.whole { language.pick("The whole input", "全部输入") } else { &field.name };
        let ticked = ticked(&field.kind);
        html! {
            div.field {
                @if ticked.is_some() { span id={ (at) "-name" } { (name) (self.needed(field)) } }
                @else { label for=(at) { (name) (self.needed(field)) } }
                p.faint.small id=(says) {
                    bdi { (field.description) }
                    @if let Some(default) = &field.default { " " (language.pick("Usual: ", "默认：")) code { (told::clipped(&plain(default), 120)) } }
                    @if let Some(hint) = hint(language, &field.kind) { " " (hint) }
                }
                @if let Some(wrong) = bad { p.wrong { (self.said(wrong)) } }
                @match ticked {
                    Some(choices) => div role="group" aria-labelledby={ (at) "-name" } aria-describedby=(says) id=(at) { (self.ticks(&at, choices)) },
                    None => (self.input(field, &at, &says, bad.is_some())),
                }
                @if let Kind::Text { file: true } = field.kind {
                    label.file { (language.pick("or take it from a file ", "或取自文件 ")) input type="file" name=(file_key(place)); }
                }
                (self.kept(&file_key(place)))
            }
        }
    }

    fn needed(&self, field: &Field) -> Markup {
        html! { @if field.needed { " " span.faint { (self.language.pick("needed", "必填")) } } }
    }

    fn ticks(&self, at: &str, choices: &[Value]) -> Markup {
        let chosen: Vec<&str> = self.typed.lines(at).collect();
        html! { @for (place, choice) in choices.iter().enumerate() {
            label.tick { input type="checkbox" name=(at) value=(place) checked[chosen.contains(&place.to_string().as_str())]; " " (plain(choice)) }
        } }
    }

    fn input(&self, field: &Field, at: &str, says: &str, bad: bool) -> Markup {
        let text = self.typed.text(at);
        let (invalid, language) = (bad.then_some("true"), self.language);
        let rows = text.lines().count().clamp(2, 14);
        let option = |value: &str, name: &str| html! { option value=(value) selected[text == value] { (name) } };
        html! { @match &field.kind {
            Kind::Line => input.wide type="text" id=(at) name=(at) value=(text) aria-describedby=(says) aria-invalid=[invalid] required[field.needed];,
            Kind::Day => input type="date" id=(at) name=(at) value=(text) aria-describedby=(says) aria-invalid=[invalid] required[field.needed];,
            Kind::Number { whole } => input type="number" step=(if *whole { "1" } else { "any" }) id=(at) name=(at) value=(text) aria-describedby=(says) aria-invalid=[invalid] required[field.needed];,
            Kind::Bytes => input type="file" id=(at) name={ (at) ".file" } aria-describedby=(says) aria-invalid=[invalid];,
            Kind::Truth => select id=(at) name=(at) aria-describedby=(says) aria-invalid=[invalid] {
                (option("", "—")) (option("true", language.pick("yes", "是"))) (option("false", language.pick("no", "否")))
            },
            Kind::Choice(choices) => select id=(at) name=(at) aria-describedby=(says) aria-invalid=[invalid] {
                (option("", "—"))
                @for (place, choice) in choices.iter().enumerate() { (option(&place.to_string(), &plain(choice))) }
            },
            Kind::Json => textarea.code id=(at) name=(at) rows=(rows) spellcheck="false" aria-describedby=(says) aria-invalid=[invalid] { "\n" (text) },
            Kind::Text { .. } | Kind::Many(_) => textarea id=(at) name=(at) rows=(rows) aria-describedby=(says) aria-invalid=[invalid] { "\n" (text) },
        } }
    }

    /// Files that came with a form that has to be sent again.
    fn kept(&self, field: &str) -> Markup {
        let language = self.language;
        html! { @for (file, packed) in self.typed.carried().filter(|(file, _)| file.field == field) {
            p.small { @match packed {
                Some(packed) => label.tick { input type="checkbox" name="kept" value=(packed) checked; " " bdi { (file.name) } " (" (size(file.bytes.len() as u64)) ")" },
                None => { bdi { (file.name) } " (" (size(file.bytes.len() as u64)) "): " (language.pick("choose this large file again", "请重新选择此大文件")) }
            } }
        } }
    }

    fn plain(&self) -> Markup {
        let language = self.language;
        html! {
            h2 { (language.pick("What it works on", "输入内容")) }
            div.field {
                label for="input" { (language.pick("Text that it reads", "供其读取的文本")) }
                textarea id="input" name="input" { "\n" (self.typed.text("input")) }
            }
        }
    }

    fn script(&self, path: &str) -> Markup {
        let language = self.language;
        html! {
            h2 { (language.pick("What it works on", "输入内容")) }
            p { (language.pick("The script ", "脚本 ")) code { (path) } (language.pick(" is started with what you write and choose here.", " 将以您在此填写和选择的内容启动。")) }
            div.field {
                label for="arguments" { (language.pick("Arguments, one a line", "参数，每行一个")) }
                textarea.code id="arguments" name="arguments" rows="3" spellcheck="false" { "\n" (self.typed.text("arguments")) }
            }
            details open[!self.typed.text("input").is_empty()] {
                summary { (language.pick("Text on its standard input", "标准输入的文本")) }
                div.field {
                    label for="input" { (language.pick("Text that it reads", "供其读取的文本")) }
                    textarea id="input" name="input" { "\n" (self.typed.text("input")) }
                }
            }
        }
    }

    fn files(&self) -> Markup {
        let language = self.language;
        let field = html! {
            div.field {
                label for="files" { (language.pick("Files", "文件")) }
                p.faint.small id="files-says" { (language.pick("It finds them in its work folder, under their own names.", "它会在工作文件夹中以原名找到这些文件。")) }
                input type="file" id="files" name=(FILES) multiple aria-describedby="files-says";
                (self.kept(FILES))
            }
        };
        let given = self.typed.files.iter().any(|file| file.field == FILES);
        html! {
            @if matches!(self.thing, Thing::Script(_)) { (field) }
            @else { details open[given] { summary { (language.pick("Give it files", "提供文件")) } (field) } }
        }
    }

    /// What the run may touch, in plain words.
    fn touches(&self) -> Markup {
        let language = self.language;
        html! {
            section id="may" {
                h2 { (language.pick("What this run may touch", "本次运行能接触什么")) }
                ul.plain {
                    @for line in told::grants(language, &self.offer.granted) { li { (line) } }
                    @for grant in &self.offer.bounds { li { (told::below(language, grant)) } }
                }
                @if self.offer.overlaid { p.faint.small { (language.pick("This is what the publisher's own rules for this skill say.", "这是该发布者为此技能设定的规则。")) } }
            }
        }
    }

    /// Asks for what goes beyond the skill's own files.
    fn agreement(&self) -> Markup {
        let (language, granted) = (self.language, &self.offer.granted);
        let choice = self.typed.text("grant");
        let (secrets, network): (Vec<String>, Vec<String>) =
            self.missing.iter().cloned().partition(|one| one.starts_with("the secret "));
        let secrets: Vec<String> = secrets.iter().map(|one| one.trim_start_matches("the secret ").to_owned()).collect();
        html! {
            @if self.asks() {
                fieldset.note {
                    legend { (language.pick("It asks for this. May it have it, in this run?", "它请求以下内容。本次运行是否允许？")) }
                    ul.plain {
                        @for grant in &granted.network { li { (told::connects(language, grant)) } }
                        @for name in &granted.secrets { li { (language.pick("the secret ", "密钥 ")) code { (name) } } }
                    }
                    @if let Some(wrong) = self.problem(GRANT) { p.wrong { (self.said(wrong)) } }
                    label.tick { input type="radio" name="grant" value="all" checked[choice == "all"]; " " (language.pick("Yes, it may", "是，允许")) }
                    label.tick { input type="radio" name="grant" value="none" checked[choice == "none"]; " " (language.pick("No, run it without; it may fail", "否，在没有这些的情况下运行；可能失败")) }
                }
            }
            @if !self.missing.is_empty() {
                fieldset.note.bad id="agree" {
                    legend { (language.pick("You grant more than its author declares", "您授予的超出作者声明的范围")) }
                    ul.plain {
                        @for name in &network { li { (language.pick("connect to ", "连接 ")) code { (name) } } }
                        @for name in &secrets { li { (language.pick("the secret ", "密钥 ")) code { (name) } } }
                    }
                    @for name in &network { input type="hidden" name="agreed_network" value=(name); }
                    @for name in &secrets { input type="hidden" name="agreed_secrets" value=(name); }
                    label.tick { input type="checkbox" name="consent" value="yes"; " " (language.pick("I have read this and agree", "我已阅读并同意")) }
                    label { (language.pick("That holds ", "有效期 ")) select name="remember" {
                        option value="" { (language.pick("for this run", "仅本次运行")) }
                        option value="session" { (language.pick("for eight hours", "八小时")) }
                        option value="always" { (language.pick("for this version, until I take it back", "对此版本一直有效，直到我撤回")) }
                    } }
                }
            }
        }
    }

    /// What only some runs need.
    fn more(&self) -> Markup {
        let language = self.language;
        let fields = [
            (
                "network",
                language.pick("Further hosts that it may reach, one a line", "允许连接的其他主机，每行一个"),
                "api.example.com:443",
            ),
            (
                "secrets",
                language.pick("Further secrets that it may read, one a line", "允许读取的其他密钥，每行一个"),
                "API_TOKEN",
            ),
            (
                "packages",
                language.pick(
                    "Packages from the internet that it may bring although only its text names them, one a line",
                    "仅在代码中提及、允许从网上取用的软件包，每行一个",
                ),
                "requests",
            ),
        ];
        let used = fields.iter().any(|(name, ..)| !self.typed.text(name).is_empty());
        html! {
            details open[used] {
                summary { (language.pick("Let it have more", "允许更多")) }
                @for (name, says, example) in fields {
                    div.field {
                        label for=(name) { (says) }
                        @if name == "network" && let Some(wrong) = self.problem(NETWORK) { p.wrong { (self.said(wrong)) } }
                        textarea.code id=(name) name=(name) rows="2" spellcheck="false" placeholder=(example) { "\n" (self.typed.text(name)) }
                    }
                }
            }
        }
    }
}

/// The choices of a field of which several can be ticked.
fn ticked(kind: &Kind) -> Option<&[Value]> {
    match kind {
        Kind::Many(item) => match item.as_ref() {
            Kind::Choice(choices) => Some(choices),
            _ => None,
        },
        _ => None,
    }
}

const fn hint(language: Language, kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Many(_) => language.pick("One a line.", "每行一个。"),
        Kind::Json => language.pick("Written as JSON.", "以 JSON 书写。"),
        _ => return None,
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
