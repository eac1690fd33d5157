//! The home and the page of a publisher.

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::Caller;
use kontor_registry::{Listing, Skill, Sort};
use kontor_search::Query as Search;
use kontor_types::{Cursor, Handle, PageSize};
use maud::html;
use serde::Deserialize;
use url::form_urlencoded;

use super::{Language, layout, list};
use crate::extract::{Path, Query};
use crate::{Asker, Failure, Hub};

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
    language: Language,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let text = asked.q.unwrap_or_default();
    let (text, after) = (text.trim(), cursor(asked.cursor));
    if text.is_empty() {
        return newest(&hub, &caller, language, after.as_ref()).await;
    }
    let words = language.words();
    let found = hub.app.registry.search(Search { after, ..Search::new(text, caller.viewer()) }).await?;
    let lines: Vec<_> = found.items.iter().map(|item| line(&item.skill)).collect();
    let next = found.next.map(|next| address("/", &[("q", text), ("cursor", next.as_str())]));
    let body = html! {
        h1 { "“" (text) "”" }
        @if lines.is_empty() { p.lead { (words.nothing_fits) } }
        @else { p.lead.faint { (language.found(found.total.count, found.total.at_least)) } }
        @if let Some(mended) = &found.did_you_mean {
            p { (words.did_you_mean) " " a href=(address("/", &[("q", mended)])) { (mended) } "?" }
        }
        (list::lines(language, &lines, next.as_deref()))
    };
    Ok(layout::page(language, &format!("“{text}”"), text, &body))
}

async fn newest(hub: &Hub, caller: &Caller, language: Language, after: Option<&Cursor>) -> Result<Response, Failure> {
    let words = language.words();
    let page = hub.app.registry.list(caller.viewer(), &Listing::default(), PageSize::default(), after).await?;
    let lines: Vec<_> = page.items.iter().map(line).collect();
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
    Ok(layout::page(language, words.skills, "", &body))
}

/// `GET /@{publisher}`: the skills of a publisher; `/@{publisher}@{skill}` leads to the skill.
pub async fn publisher(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    language: Language,
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
    let lines: Vec<_> = page.items.iter().map(line).collect();
    let next = page.next.map(|next| address(&format!("/@{handle}"), &[("cursor", next.as_str())]));
    let words = language.words();
    let body = html! {
        h1 { (known.publisher.display_name) }
        p.faint { "@" (handle) }
        @if lines.is_empty() { p.lead { (words.empty) } }
        (list::lines(language, &lines, next.as_deref()))
        @if !lines.is_empty() {
            h2 { (words.install_all) }
            pre { code { "npx skills add " (hub.absolute(&format!("/@{handle}"))) } }
        }
    };
    Ok(layout::page(language, &format!("@{handle}"), "", &body))
}

/// A publisher that is not there and one that may not be seen look the same.
fn hidden(error: kontor_access::Error) -> Failure {
    match error {
        kontor_access::Error::PublisherNotFound { .. } => Failure::not_found(),
        other => other.into(),
    }
}

fn line(skill: &Skill) -> list::Line {
    list::Line {
        publisher: skill.publisher.clone(),
        slug: skill.slug.clone(),
        name: skill.display_name.clone(),
        description: skill.description.clone(),
        facts: skill.latest_number.as_ref().map(|number| (number.to_string(), skill.downloads)),
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
