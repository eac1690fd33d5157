//! The home and the page of a publisher.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::Caller;
use kontor_front::extract::{Path, Query};
use kontor_front::{Asker, DEVICE_PAGE, Failure, Hub};
use kontor_registry::{Listing, Skill, Sort};
use kontor_search::Query as Search;
use kontor_types::{Cursor, Handle, PageSize};
use maud::html;
use serde::Deserialize;
use url::form_urlencoded;

use crate::{Language, Reader, layout, list};

/// What the home shows.
#[derive(Debug, Deserialize)]
pub struct Asked {
    q: Option<String>,
    cursor: Option<String>,
}

/// `GET /`: what changed last, or what a search found.
pub async fn home(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let text = asked.q.unwrap_or_default();
    let (text, after) = (text.trim(), cursor(asked.cursor));
    if text.is_empty() {
        return newest(&hub, &caller, &reader, after.as_ref()).await;
    }
    let (language, words) = (reader.language, reader.language.words());
    let found = hub.app.registry.search_by(&caller, Search { after, ..Search::new(text, caller.viewer()) }).await?;
    let (skills, copies): (Vec<Skill>, Vec<u64>) =
        found.items.into_iter().map(|item| (item.skill, item.copies)).unzip();
    let mut lines = lines(&hub, &caller, language, &skills).await?;
    for (line, copies) in lines.iter_mut().zip(copies) {
        line.copies = copies;
    }
    let next = found.next.map(|next| address("/", &[("q", text), ("cursor", next.as_str())]));
    let body = html! {
        h1 { "“" bdi { (text) } "”" }
        @if lines.is_empty() { p.lead { (words.nothing_fits) } }
        @else { p.lead.faint { (language.found(found.total.count, found.total.at_least)) } }
        @if let Some(mended) = &found.did_you_mean {
            p { (words.did_you_mean) " " a href=(address("/", &[("q", mended)])) { bdi { (mended) } } "?" }
        }
        (list::lines(language, &lines, next.as_deref()))
    };
    Ok(layout::page(&reader, &format!("“{text}”"), text, &body))
}

async fn newest(hub: &Hub, caller: &Caller, reader: &Reader, after: Option<&Cursor>) -> Result<Response, Failure> {
    let (language, words) = (reader.language, reader.language.words());
    let page = hub.app.registry.list(caller.viewer(), &Listing::default(), PageSize::default(), after).await?;
    let lines = lines(hub, caller, language, &page.items).await?;
    let next = page.next.map(|next| address("/", &[("cursor", next.as_str())]));
    let body = html! {
        h1 { (words.skills) }
        @if lines.is_empty() {
            p.lead { (words.empty) " " (words.fill) }
            pre { code { "kontor import ./skills --publisher NAME\nkontor publish ./my-skill" } }
        } @else {
            p.lead.faint { (words.newest) }
        }
        (list::lines(language, &lines, next.as_deref()))
    };
    Ok(layout::page(reader, words.skills, "", &body))
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
    let (size, after) = (PageSize::default(), cursor(asked.cursor));
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
        @if lines.is_empty() { p.lead { (words.empty) } }
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

fn cursor(text: Option<String>) -> Option<Cursor> {
    text.filter(|text| !text.is_empty()).and_then(|text| text.parse().ok())
}

/// An address with those parameters that are not empty.
fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    format!("{path}?{}", query.finish())
}
