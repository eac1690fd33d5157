//! The home and the page of a publisher.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::Caller;
use kontor_front::extract::{Path, Query};
use kontor_front::{Asker, DEVICE_PAGE, Failure, Hub};
use kontor_registry::{Listing, Skill, Sort, UnansweredSearch};
use kontor_search::{Facet, Filters, Query as Search, Sort as Order};
use kontor_types::{Cursor, Handle, PageSize, Role, Scope};
use maud::{Markup, html};
use serde::Deserialize;
use url::form_urlencoded;

use crate::{Language, Reader, layout, list, manage};

/// The most values of each facet that are offered.
const FACETS: usize = 12;
/// Skills of one kind on the home.
const SHELF: u32 = 9;

/// What is asked of the home: words, what else must hold, and the order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    category: String,
    keyword: String,
    license: String,
    sort: String,
    cursor: String,
}

impl Asked {
    /// Whether anything was asked for.
    fn is_search(&self) -> bool {
        [&self.q, &self.category, &self.keyword, &self.license, &self.sort].iter().any(|text| !text.trim().is_empty())
    }

    fn order(&self) -> Order {
        self.sort.parse().unwrap_or_default()
    }

    /// The address of the same search with one thing changed; its first page, unless that is the cursor.
    fn with(&self, name: &str, value: &str) -> String {
        let all = [
            ("q", self.q.trim()),
            ("category", self.category.as_str()),
            ("keyword", self.keyword.as_str()),
            ("license", self.license.as_str()),
            ("sort", self.sort.as_str()),
            ("cursor", ""),
        ];
        address("/", &all.map(|(key, now)| (key, if key == name { value } else { now })))
    }
}

/// `GET /`: what is new and what is used, or what a search found.
pub async fn home(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    if asked.is_search() { found(&hub, &caller, &reader, &asked).await } else { welcome(&hub, &caller, &reader).await }
}

/// What a search found, with what narrows it.
async fn found(hub: &Hub, caller: &Caller, reader: &Reader, asked: &Asked) -> Result<Response, Failure> {
    let (language, words, text) = (reader.language, reader.language.words(), asked.q.trim());
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let filters = Filters {
        category: given(&asked.category),
        keyword: given(&asked.keyword),
        license: given(&asked.license),
        ..Filters::default()
    };
    let query = Search {
        filters,
        sort: asked.order(),
        after: cursor(&asked.cursor),
        facets: FACETS,
        ..Search::new(text, caller.viewer())
    };
    let found = hub.app.registry.search_by(caller, query).await?;
    let (skills, copies): (Vec<Skill>, Vec<u64>) =
        found.items.into_iter().map(|item| (item.skill, item.copies)).unzip();
    let mut lines = lines(hub, caller, language, &skills).await?;
    for (line, copies) in lines.iter_mut().zip(copies) {
        line.copies = copies;
    }
    let next = found.next.map(|next| asked.with("cursor", next.as_str()));
    let title = if text.is_empty() { words.skills.to_owned() } else { format!("“{text}”") };
    let body = html! {
        h1 { bdi { (title) } }
        @if let Some(mended) = &found.did_you_mean {
            p { (words.did_you_mean) " " a href=(asked.with("q", mended)) { (mended) } "?" }
        }
        (chosen(language, asked))
        div.results {
            aside { (narrowing(language, asked, &found.facets)) }
            div.content {
                (orders(language, asked))
                @if lines.is_empty() { div.empty { p { (words.nothing_fits) } p { a href="/" { (words.home) } } } }
                @else { p.faint { (language.found(found.total.count, found.total.at_least)) } }
                (list::lines(language, &lines, next.as_deref()))
            }
        }
    };
    Ok(layout::page(reader, &title, text, &body))
}

/// What a search was narrowed to, each with a way back.
fn chosen(language: Language, asked: &Asked) -> Markup {
    let all = [
        ("category", language.pick("Category", "类别"), &asked.category),
        ("keyword", language.pick("Keyword", "关键词"), &asked.keyword),
        ("license", language.words().licence, &asked.license),
    ];
    let chosen: Vec<_> = all.into_iter().filter(|(.., value)| !value.is_empty()).collect();
    html! {
        @if !chosen.is_empty() {
            ul.chips { @for (key, name, value) in chosen {
                li { a href=(asked.with(key, "")) aria-label=(language.without(name, value)) { (name) ": " (value) " ✕" } }
            } }
        }
    }
}

/// In which orders the answers can stand.
fn orders(language: Language, asked: &Asked) -> Markup {
    let names = [
        (Order::Relevance, language.pick("Best", "最相关")),
        (Order::Installs, language.pick("Most installed", "安装最多")),
        (Order::Trending, language.pick("Used of late", "近期热门")),
        (Order::Stars, language.pick("Most stars", "收藏最多")),
        (Order::Updated, language.pick("Newest version", "最近更新")),
        (Order::Created, language.pick("Newest skill", "最新技能")),
    ];
    html! {
        nav aria-label=(language.pick("Order", "排序")) {
            ul.chips { @for (order, name) in names {
                li { a href=(asked.with("sort", order.as_str())) rel="nofollow" aria-current=[(order == asked.order()).then_some("true")] { (name) } }
            } }
        }
    }
}

/// The most frequent categories, keywords and licences among the answers.
fn narrowing(language: Language, asked: &Asked, facets: &[Facet]) -> Markup {
    let names = [
        ("category", language.pick("Categories", "类别")),
        ("keyword", language.pick("Keywords", "关键词")),
        ("license", language.words().licence),
    ];
    html! {
        @for (key, name) in names {
            @if let Some(facet) = facets.iter().find(|facet| facet.name == key && facet.values.len() > 1) {
                h2 { (name) }
                ul.chips { @for value in &facet.values {
                    li { a href=(asked.with(key, &value.value)) rel="nofollow" { (value.value) " " small { (value.count) } } }
                } }
            }
        }
    }
}

/// The home of who asks for nothing yet.
async fn welcome(hub: &Hub, caller: &Caller, reader: &Reader) -> Result<Response, Failure> {
    let (language, words, registry) = (reader.language, reader.language.words(), &hub.app.registry);
    let counted = registry.facets_for_home(caller.viewer())?;
    let requests = registry.requests_of_everybody().await?;
    let size = PageSize::clamped(SHELF);
    let installed = Listing { sort: Sort::Installs, ..Listing::default() };
    let mut installed = registry.list(caller.viewer(), &installed, size, None).await?.items;
    installed.retain(|skill| skill.installs > 0);
    let installed = lines(hub, caller, language, &installed).await?;
    let (newest, more): (Vec<Skill>, Vec<u64>) =
        registry.newest_by_publisher(caller.viewer(), SHELF as usize).await?.into_iter().unzip();
    let newest = lines(hub, caller, language, &newest).await?;
    let body = html! {
        section.hero {
            h1 { (language.pick("Find a skill for your agent", "为您的智能体找一项技能")) }
            p.lead { (language.pick("See what it does, what it may touch and who checked it, before you use it.", "使用之前，先看清它做什么、能接触什么、由谁检查过。")) }
            form.search action="/" method="get" role="search" data-suggest=(words.skills) {
                input type="search" name="q" placeholder=(language.pick("for example: meeting minutes", "例如：会议纪要")) aria-label=(words.find) required;
                button type="submit" { (words.search) }
            }
        }
        @if newest.is_empty() {
            div.empty {
                p { (words.empty) " " (words.fill) }
                pre { code { "kontor import ./skills --publisher NAME\nkontor publish ./my-skill" } }
            }
        } @else {
            (narrowing(language, &Asked::default(), &counted))
            @if !installed.is_empty() {
                h2 { (language.pick("Most installed", "安装最多")) }
                (list::cards(language, &installed, &[]))
            }
            h2 { (language.pick("What is new", "最近更新")) }
            (list::cards(language, &newest, &more))
            p { a href="/?sort=updated" { (language.pick("All skills, the newest first", "全部技能，最新在前")) } }
            (wanted(language, &requests))
        }
    };
    Ok(layout::home(reader, words.skills, &body))
}

/// What people looked for and did not find, for authors who look for something to make.
fn wanted(language: Language, requests: &[UnansweredSearch]) -> Markup {
    html! {
        @if !requests.is_empty() {
            section id="wanted" {
                h2 { (language.pick("People looked for this and found nothing", "有人找过，但没有找到")) }
                p.faint { (language.pick("Can you make one of these? Publish it, and whoever looks next finds it.", "您能做出其中一项吗？发布之后，下一位就能找到它。")) }
                ul.chips { @for request in requests {
                    li { a href=(address("/", &[("q", request.words.as_str())])) rel="nofollow" { bdi { (request.words) } " " small { (request.searches) "×" } } }
                } }
            }
        }
    }
}

/// `GET /@{publisher}`: the skills of a publisher; `/@{publisher}@{skill}` leads to the skill.
pub async fn publisher(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    reader: Reader,
    Path(publisher): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    if let Some((publisher, skill)) = publisher.split_once('@') {
        return Ok(Redirect::permanent(&format!("/@{publisher}/{skill}")).into_response());
    }
    let handle = Handle::parse(&publisher).map_err(|_| Failure::not_found())?;
    let known = hub.app.access.publisher(caller.viewer(), &handle).await.map_err(hidden)?;
    let listing = Listing { publisher: Some(handle.clone()), sort: Sort::Name, ..Listing::default() };
    let (size, after) = (PageSize::default(), cursor(&asked.cursor));
    let page = hub.app.registry.list(caller.viewer(), &listing, size, after.as_ref()).await?;
    let language = reader.language;
    let lines = lines(&hub, &caller, language, &page.items).await?;
    let next = page.next.map(|next| address(&format!("/@{handle}"), &[("cursor", next.as_str())]));
    let words = language.words();
    let body = html! {
        h1 { (known.publisher.display_name) }
        p.faint.name {
            "@" (handle)
            @if reader.person.as_ref() == Some(&handle) {
                " · " (words.this_is_you) " " a href=(DEVICE_PAGE) { (words.devices) }
            }
        }
        @if caller.require_role(known.publisher.id, Role::Maintainer, Scope::Read).is_ok() {
            p { a.button.quiet href=(manage::address(&handle)) { (language.pick("Look after these skills", "管理这些技能")) } }
        }
        @if lines.is_empty() { div.empty { p { (words.empty) } } }
        (list::lines(language, &lines, next.as_deref()))
        @if !lines.is_empty() {
            h2 { (words.install_all) }
            pre { code { "npx skills add " (hub.absolute(&format!("/@{handle}"))) } }
        }
    };
    Ok(layout::page(&reader, &format!("@{handle}"), "", &body))
}

/// A publisher that is not there and one that may not be seen look the same.
fn hidden(error: kontor_access::Error) -> Failure {
    match error {
        kontor_access::Error::PublisherNotFound { .. } => Failure::not_found(),
        other => other.into(),
    }
}

/// The lines of a list, described in the reader's language where the author wrote it.
async fn lines(hub: &Hub, caller: &Caller, language: Language, skills: &[Skill]) -> Result<Vec<list::Line>, Failure> {
    let mut told = match language {
        Language::English => HashMap::new(),
        Language::Chinese => {
            let versions: Vec<_> = skills.iter().filter_map(|skill| skill.latest_version_id).collect();
            hub.app.registry.descriptions_in(caller.viewer(), "zh", &versions).await?
        }
    };
    let described = skills.iter().map(|skill| {
        let told = skill.latest_version_id.and_then(|version| told.remove(&version));
        line(skill, told.unwrap_or_else(|| skill.description.clone()))
    });
    Ok(described.collect())
}

fn line(skill: &Skill, description: String) -> list::Line {
    list::Line {
        publisher: skill.publisher.clone(),
        slug: skill.slug.clone(),
        name: skill.display_name.clone(),
        description,
        newest: skill.latest_number.clone().zip(skill.latest_created_at),
        counts: [skill.downloads, skill.stars],
        is_deprecated: skill.deprecated_at.is_some(),
        copies: 0,
    }
}

fn cursor(text: &str) -> Option<Cursor> {
    if text.is_empty() { None } else { text.parse().ok() }
}

/// An address with those parameters that are not empty.
fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
