//! What differs between two versions of a skill: what they may touch first, then their files.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kontor_front::extract::{Path, Query};
use kontor_front::{Asker, Failure, Hub};
use kontor_package::{Manifest, Permissions};
use kontor_registry::{FileDifference, Found};
use kontor_scan::Capabilities;
use kontor_types::Viewer;
use maud::{Markup, html};
use serde::Deserialize;

use crate::words::size;
use crate::{Language, Reader, files, layout, open};

/// The most lines of one file's difference that are shown.
const MOST_LINES: usize = 2_000;

/// Which versions.
#[derive(Debug, Deserialize)]
pub struct Sides {
    from: String,
    to: String,
}

/// What a version may touch.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// What it asks for.
    pub asked: Permissions,
    /// What was read in its files; none before a scan.
    pub found: Option<Capabilities>,
}

/// `GET /@{publisher}/{skill}/compare?from=1.0.0&to=1.1.0`
pub async fn show(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    reader: Reader,
    Path((publisher, skill)): Path<(String, String)>,
    Query(sides): Query<Sides>,
) -> Result<Response, Failure> {
    let of = |number: &str| format!("{skill}@{number}");
    let before = open::found(&hub, &caller, &publisher, &of(&sides.from)).await?;
    let after = open::found(&hub, &caller, &publisher, &of(&sides.to)).await?;
    let language = reader.language;
    let title = format!("{} → {}", before.reference(), after.version.number);
    for found in [&before, &after] {
        if let Some(refused) = files::refused(&hub, &caller, found).await? {
            let body = html! {
                h1 { (title) }
                p.note { (language.pick("The rules of this hub do not let you read the files of these versions.", "本技能中心的规则不允许您阅读这些版本的文件。")) }
                p.faint lang="en" { (refused) }
            };
            return Ok((StatusCode::FORBIDDEN, layout::page(&reader, &title, "", &body)).into_response());
        }
    }
    let viewer = caller.viewer();
    let profiles = (profile(&hub, viewer, &before).await?, profile(&hub, viewer, &after).await?);
    let differing = hub.app.registry.difference(viewer, &before, &after).await?;
    let body = html! {
        p.trail { a href={ "/@" (publisher) "/" (after.skill.slug) "#versions" } { "@" (publisher) "/" (after.skill.slug) } }
        h1 { (before.version.number) " → " (after.version.number) }
        h2 { (language.pick("What it may touch", "它能接触什么")) }
        (gained(language, &profiles.0, &profiles.1))
        h2 { (language.pick("Files", "文件")) }
        (texts(language, &differing))
    };
    Ok(layout::page(&reader, &title, "", &body))
}

/// What a version may touch, as its manifest and its scan say.
pub async fn profile(hub: &Hub, viewer: &Viewer, found: &Found) -> Result<Profile, Failure> {
    let reading = hub.app.registry.reading(viewer, found.version.id).await?;
    let manifest = reading.manifest.and_then(|manifest| serde_json::from_value::<Manifest>(manifest).ok());
    let report = hub.app.registry.assessment(&found.version).await?.report;
    Ok(Profile { asked: manifest.unwrap_or_default().permissions, found: report.map(|report| report.capabilities) })
}

/// What one profile has and another has not, in both directions.
pub fn gained(language: Language, before: &Profile, after: &Profile) -> Markup {
    let none = Capabilities::default();
    let (old, new) = (before.found.as_ref().unwrap_or(&none), after.found.as_ref().unwrap_or(&none));
    let told = |gained: Vec<kontor_scan::Gained>| -> Vec<(String, String)> {
        gained.into_iter().map(|one| (part(language, &one.part).to_owned(), one.what)).collect()
    };
    let mut more = asked_since(language, &before.asked, &after.asked);
    more.extend(told(new.gained_since(old)));
    let mut less = asked_since(language, &after.asked, &before.asked);
    less.extend(told(old.gained_since(new)));
    html! {
        @if before.found.is_none() || after.found.is_none() {
            p.note { (language.pick("One of the two was not scanned, so this may not be all.", "其中一个版本尚未扫描，以下内容可能不全。")) }
        }
        @if more.is_empty() && less.is_empty() {
            p { (language.pick("Nothing more and nothing less than before.", "与之前相同，没有增减。")) }
        }
        @if !more.is_empty() {
            h3 { (language.pick("New", "新增")) }
            ul.gained { @for (part, what) in &more { li { span.badge.warn { "+ " (part) } " " code { (what) } } } }
        }
        @if !less.is_empty() {
            h3 { (language.pick("Gone", "不再有")) }
            ul.gained { @for (part, what) in &less { li { span.badge { "− " (part) } " " code { (what) } } } }
        }
    }
}

/// What the later of two manifests asks for and the earlier does not.
fn asked_since(language: Language, before: &Permissions, after: &Permissions) -> Vec<(String, String)> {
    let names = |asked: &Permissions| -> Vec<(String, String)> {
        let network =
            asked.network.iter().map(|grant| (language.pick("asks for network", "请求网络"), grant.to_string()));
        let secrets = asked.secrets.iter().map(|name| (language.pick("asks for a secret", "请求密钥"), name.clone()));
        let read = asked.read.iter().map(|path| (language.pick("reads its own", "读取自身的"), path.clone()));
        network.chain(secrets).chain(read).map(|(part, what)| (part.to_owned(), what)).collect()
    };
    let known = names(before);
    names(after).into_iter().filter(|one| !known.contains(one)).collect()
}

/// A part of a scan's profile to people.
fn part(language: Language, part: &str) -> &'static str {
    match part {
        "network" => language.pick("network", "网络"),
        "exec" => language.pick("starts", "启动"),
        "writes" => language.pick("writes", "写入"),
        "secrets" => language.pick("reads a secret", "读取密钥"),
        "agent_configuration" => language.pick("touches the agent's settings", "接触智能体设置"),
        "downloads" => language.pick("downloads", "下载"),
        _ => language.pick("other", "其他"),
    }
}

/// Files that differ, each with its lines.
pub fn texts(language: Language, files: &[FileDifference]) -> Markup {
    html! {
        @if files.is_empty() { p { (language.pick("Every file is the same.", "所有文件都相同。")) } }
        @for file in files {
            details.difference open[files.len() <= 12] {
                summary { code { (file.path) } " " span.faint { (change(language, file)) } }
                @match &file.lines {
                    Some(lines) => (marked(language, lines)),
                    None => p.faint { (language.pick("No text, or too long to compare here.", "不是文本，或太长，无法在此比较。")) },
                }
            }
        }
    }
}

fn change(language: Language, file: &FileDifference) -> String {
    match (file.before, file.after) {
        (None, Some(now)) => format!("{}, {}", language.pick("new", "新文件"), size(now)),
        (Some(_), None) => language.pick("removed", "已删除").to_owned(),
        (Some(before), Some(now)) => format!("{} → {}", size(before), size(now)),
        (None, None) => String::new(),
    }
}

/// Lines in the form of `diff -u`, those that came and went marked for the eye and for who hears them.
fn marked(language: Language, lines: &str) -> Markup {
    // The first two lines name the file, which stands above.
    let mut told = lines.lines().skip(2);
    html! {
        pre.diff tabindex="0" {
            @for line in told.by_ref().take(MOST_LINES) {
                @match line.chars().next() {
                    Some('+') => ins { (files::visible(line)) "\n" },
                    Some('-') => del { (files::visible(line)) "\n" },
                    Some('@') => span.faint { (line) "\n" },
                    _ => span { (files::visible(line)) "\n" },
                }
            }
        }
        @if told.next().is_some() { p.faint { (language.pick("The difference goes on.", "差异未完。")) } }
    }
}
