//! What a skill may touch: what it says itself, what was read in its files, and what runs were granted and did.

use std::collections::BTreeSet;

use kontor_registry::observed::Behaviour;
use kontor_scan::Capabilities;
use maud::{Markup, html};

use super::Shown;
use crate::Language;

/// The most names of one kind that are shown in a place.
const MOST: usize = 10;

/// One kind of thing that a skill may touch.
struct Kind {
    name: &'static str,
    declared: Vec<String>,
    found: Vec<String>,
    seen: Vec<String>,
}

/// In plain words first, then in a table.
pub fn touches(language: Language, shown: &Shown) -> Markup {
    let kinds = kinds(language, shown);
    let told: Vec<&Kind> = kinds
        .iter()
        .filter(|kind| !kind.declared.is_empty() || !kind.found.is_empty() || !kind.seen.is_empty())
        .collect();
    let nothing = language.pick("nothing", "无");
    html! {
        ul.plain { @for sentence in sentences(language, shown) { li { (sentence) } } }
        @if !told.is_empty() {
            div.scroll tabindex="0" role="region" aria-label=(language.pick("What it may touch", "它能接触什么")) {
                table.touches {
                    thead { tr {
                        th scope="col" { span.hidden { (language.pick("Kind", "类别")) } }
                        th scope="col" { (language.pick("Declared by its author", "作者声明")) }
                        th scope="col" { (language.pick("Read in its files", "从文件中读出")) }
                        th scope="col" { (language.pick("Granted or seen in runs here", "在此运行时获准或所见")) }
                    } }
                    tbody { @for kind in told { tr {
                        th scope="row" { (kind.name) }
                        @for names in [&kind.declared, &kind.found, &kind.seen] {
                            td { @if names.is_empty() { span.faint { (nothing) } } @else { (list(language, names)) } }
                        }
                    } } }
                }
            }
        }
        (in_runs(language, shown))
        p.faint.small { (language.pick(
            "Declared is what it asks for; a run gets none of it until you agree. What was read in its files is what its text and scripts could do. Nothing is granted by looking at this page.",
            "“声明”是它提出的请求，未经您同意，运行时一律不给。“读出”是其正文和脚本可能做的事。浏览本页不会授予任何权限。")) }
    }
}

/// How runs on this hub went otherwise: what they were kept from, how they ended, what they miss.
fn in_runs(language: Language, shown: &Shown) -> Markup {
    let words = language.words();
    let told = [
        (words.refused, seen(language, shown, &[Behaviour::Refused])),
        (words.ended, seen(language, shown, &[Behaviour::Ended])),
        (
            words.misses,
            seen(language, shown, &[Behaviour::WantedHost, Behaviour::WantedVariable, Behaviour::WantedProgram]),
        ),
    ];
    html! {
        @if shown.observed.runs > 0 {
            p.small id="observed" {
                (words.seen_in_runs) " (" (shown.observed.runs) ")"
                @for (lead, names) in told.iter().filter(|(_, names)| !names.is_empty()) {
                    br; (lead) " " (names.iter().take(MOST).cloned().collect::<Vec<_>>().join(", "))
                }
            }
        }
    }
}

fn seen(language: Language, shown: &Shown, kinds: &[Behaviour]) -> Vec<String> {
    let unnamed = language.words().unnamed;
    let items = shown.observed.items.iter().filter(|one| kinds.contains(&one.kind));
    items.map(|one| format!("{} ×{}", if one.name.is_empty() { unnamed } else { &one.name }, one.runs)).collect()
}

fn list(language: Language, names: &[String]) -> Markup {
    let more = names.len().saturating_sub(MOST);
    html! {
        @for (place, name) in names.iter().take(MOST).enumerate() { @if place > 0 { br; } code { (name) } }
        @if more > 0 { br; span.faint { (language.and_more(more as u64)) } }
    }
}

fn kinds(language: Language, shown: &Shown) -> [Kind; 6] {
    let (asked, none) = (&shown.manifest.permissions, Capabilities::default());
    let found = shown.capabilities.as_ref().unwrap_or(&none);
    let all = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
    let seen = |kinds: &[Behaviour]| seen(language, shown, kinds);
    [
        Kind {
            name: language.pick("Network", "网络"),
            declared: asked.network.iter().map(ToString::to_string).collect(),
            found: all(&found.network),
            seen: seen(&[Behaviour::Granted, Behaviour::Connected]),
        },
        Kind {
            name: language.pick("Secrets", "密钥"),
            declared: asked.secrets.clone(),
            found: all(&found.secrets),
            seen: seen(&[Behaviour::Given]),
        },
        Kind {
            name: language.pick("Programs", "程序"),
            declared: shown.manifest.tools.iter().map(|tool| tool.command.join(" ")).collect(),
            found: all(&found.exec),
            seen: seen(&[Behaviour::Started]),
        },
        Kind {
            name: language.pick("Files it writes", "写入的文件"),
            declared: Vec::new(),
            found: all(&found.writes),
            seen: seen(&[Behaviour::Wrote]),
        },
        Kind {
            name: language.pick("Downloads", "下载"),
            declared: Vec::new(),
            found: all(&found.downloads),
            seen: Vec::new(),
        },
        Kind {
            name: language.pick("Your agent's own settings", "智能体自身的设置"),
            declared: Vec::new(),
            found: all(&found.agent_configuration),
            seen: Vec::new(),
        },
    ]
}

/// What it comes to, in a few plain sentences.
fn sentences(language: Language, shown: &Shown) -> Vec<String> {
    let Some(found) = &shown.capabilities else {
        let text = "It was not scanned yet, so nothing can be said about what it may touch.";
        return vec![language.pick(text, "尚未扫描，还无法说明它能接触什么。").to_owned()];
    };
    let (asked, mut said) = (&shown.manifest.permissions, Vec::new());
    let hosts: BTreeSet<String> =
        asked.network.iter().map(ToString::to_string).chain(found.network.iter().cloned()).collect();
    said.push(match (hosts.len(), hosts.first()) {
        (0, _) => language.pick("It names no host on the network.", "它没有提到任何网络主机。").to_owned(),
        (1, Some(host)) => match language {
            Language::English => format!("It may want to talk to {host}."),
            Language::Chinese => format!("它可能会连接 {host}。"),
        },
        (number, _) => match language {
            Language::English => format!("It may want to talk to {number} hosts."),
            Language::Chinese => format!("它可能会连接 {number} 个主机。"),
        },
    });
    said.push(if asked.secrets.is_empty() && found.secrets.is_empty() {
        language.pick("It asks for no password or key, and reads none.", "它不请求也不读取任何密码或密钥。").to_owned()
    } else {
        let names: BTreeSet<&String> = asked.secrets.iter().chain(found.secrets.iter()).collect();
        let names: Vec<&str> = names.into_iter().take(3).map(String::as_str).collect();
        match language {
            Language::English => format!("It reads or asks for secrets, such as {}.", names.join(", ")),
            Language::Chinese => format!("它会读取或请求密钥，例如 {}。", names.join("、")),
        }
    });
    said.push(
        if found.exec.is_empty() && shown.manifest.tools.is_empty() {
            language.pick(
                "It is text for your agent and starts no program itself.",
                "它只是给智能体读的文字，自己不启动程序。",
            )
        } else {
            language.pick(
                "It starts programs. Run through this hub or `kontor run`, they work in a sandbox.",
                "它会启动程序。通过本技能中心或 `kontor run` 运行时，程序在沙箱中工作。",
            )
        }
        .to_owned(),
    );
    if !found.agent_configuration.is_empty() {
        said.push(
            language
                .pick(
                    "It touches the settings or memory of the agent that uses it.",
                    "它会接触使用它的智能体的设置或记忆。",
                )
                .to_owned(),
        );
    }
    said
}
