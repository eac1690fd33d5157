//! Why a package was not taken, in words, and what to do.

use kontor_package::Finding;
use kontor_types::{Code, Version};
use maud::{Markup, html};

use crate::Language;

/// The most findings that are shown.
const MOST: usize = 50;

/// Why nothing was published.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The stable name.
    pub code: Code,
    /// What happened.
    detail: String,
    /// What stands against the package, each at its file and line.
    findings: Vec<Finding>,
    /// The number that is free, when the one that was asked for is taken.
    pub next: Option<Version>,
}

impl Refusal {
    /// With a code and what happened.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), findings: Vec::new(), next: None }
    }

    /// Of files that cannot become a skill.
    pub fn content(error: kontor_package::Error) -> Self {
        kontor_registry::Error::from(error).into()
    }

    /// As a note above the form.
    pub fn shown(&self, language: Language) -> Markup {
        let (what, todo) = told(language, self.code);
        html! {
            div.note.bad role="alert" id="refused" {
                p { b { (what) } " " (language.pick("Nothing was published.", "未发布任何内容。")) }
                p { (todo) @if let Some(next) = &self.next { " " b { (next) } } }
                @if self.findings.is_empty() {
                    p.faint lang="en" { (self.detail) }
                } @else {
                    ul { @for finding in self.findings.iter().take(MOST) { li lang="en" {
                        @if !finding.file.is_empty() {
                            code { (finding.file) @if finding.line > 0 { ":" (finding.line) } } ": "
                        }
                        (finding.message) @if !finding.remedy.is_empty() { ". " (finding.remedy) }
                    } } }
                }
            }
        }
    }
}

impl From<kontor_registry::Error> for Refusal {
    fn from(error: kontor_registry::Error) -> Self {
        let problem = error.problem();
        let refusal = Self::new(problem.code, problem.detail);
        match error {
            kontor_registry::Error::Refused { findings } => Self { findings, ..refusal },
            kontor_registry::Error::Content(error) => Self { findings: vec![error.finding()], ..refusal },
            kontor_registry::Error::VersionTaken { next, .. } => Self { next: Some(next), ..refusal },
            _ => refusal,
        }
    }
}

/// What happened and what to do, in plain words.
const fn told(language: Language, code: Code) -> (&'static str, &'static str) {
    match code {
        Code::PackageRefused => (
            language.pick("This package cannot be taken.", "无法接收此技能包。"),
            language.pick(
                "Mend what is listed here in your files, and send them again.",
                "请按下列各项修改文件后重新发送。",
            ),
        ),
        Code::TooLarge => (
            language.pick("This package is too large.", "技能包过大。"),
            language.pick(
                "Leave out what an agent does not need, and send it again.",
                "请去掉智能体用不到的内容后重新发送。",
            ),
        ),
        Code::VersionTaken => (
            language.pick("This version exists already with other content.", "此版本号已用于其他内容。"),
            language.pick(
                "A version never changes. Publish it as the next one:",
                "版本一经发布便不再改变。请用下一个版本号发布：",
            ),
        ),
        Code::NameTaken | Code::NameReserved => (
            language.pick("This name is taken.", "此名称已被占用。"),
            language.pick("Choose another name and send it again.", "请换一个名称后重新发送。"),
        ),
        Code::InvalidName => (
            language.pick("This name is not allowed.", "此名称不符合规则。"),
            language.pick(
                "Use small letters, digits and single hyphens, for example “meeting-minutes”.",
                "请使用小写字母、数字和单个连字符，例如“meeting-minutes”。",
            ),
        ),
        Code::InvalidVersion => (
            language.pick("This is no version number.", "这不是版本号。"),
            language.pick(
                "Write three numbers with dots, for example 1.2.0, or leave the field empty.",
                "请写成以点分隔的三个数字，例如 1.2.0，或留空。",
            ),
        ),
        Code::SignatureRequired | Code::SignatureRefused => (
            language.pick("This publisher takes only signed versions.", "此发布者只接受已签名的版本。"),
            language.pick(
                "A page cannot sign for you. Publish in a terminal with `kontor publish`, which signs with your key.",
                "网页无法代您签名。请在终端中用 `kontor publish` 发布，它会用您的密钥签名。",
            ),
        ),
        Code::Forbidden | Code::PublisherNotFound => (
            language.pick("You may not publish for this publisher.", "您无权以此发布者的名义发布。"),
            language.pick(
                "Ask one of its owners to make you a maintainer, or choose another publisher.",
                "请其所有者将您设为维护者，或选择其他发布者。",
            ),
        ),
        Code::InvalidRequest => (
            language.pick("Something in the form is missing or wrong.", "表单中有缺漏或错误。"),
            language.pick(
                "Choose an archive, files or a folder, look at the fields, and send it again.",
                "请选择压缩包、文件或文件夹，检查各字段后重新发送。",
            ),
        ),
        _ => (
            language.pick("The hub could not take it.", "技能中心未能接收。"),
            language.pick(
                "Try again in a moment. If it stays so, tell an administrator of this hub.",
                "请稍后再试；若仍如此，请告知本技能中心的管理员。",
            ),
        ),
    }
}
