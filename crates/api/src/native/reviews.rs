//! The review queue.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kontor_access::Caller;
use kontor_registry::ReviewFilter;
use kontor_types::{Code, ReviewId};
use kontor_wire::{
    FileDifference, FileItem, FileList, ReviewAct, ReviewDetail, ReviewDifference, ReviewPage, ReviewQuery,
};
use utoipa_axum::routes;

use super::document::Raw;
use super::trust_shapes as shapes;
use crate::extract::{Json, Path, Query, page_size};
use crate::foreign::{Foreign, Keeping, Media};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Read, routes!(show))
        .add(Class::Read, routes!(archive))
        .add(Class::Read, routes!(files))
        .add(Class::Read, routes!(file))
        .add(Class::Read, routes!(difference))
        .add(Class::Write, routes!(act))
}

/// Reviews that the caller may take part in, the oldest first.
#[utoipa::path(get, path = "/reviews", tag = "reviews", params(ReviewQuery),
    responses((status = 200, body = ReviewPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<ReviewQuery>,
) -> Result<Json<ReviewPage>, Failure> {
    let filter = ReviewFilter { state: query.state.map(shapes::asked_state), of: query.reference };
    let size = page_size(query.limit);
    let page = hub.app.registry.reviews(&caller, &filter, size, query.cursor.as_ref()).await?;
    Ok(Json(ReviewPage { items: page.items.into_iter().map(shapes::review).collect(), next_cursor: page.next }))
}

/// One review, with what was found and what was said.
#[utoipa::path(get, path = "/reviews/{id}", tag = "reviews", params(("id" = String, Path)),
    responses((status = 200, body = ReviewDetail)))]
async fn show(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<ReviewDetail>, Failure> {
    Ok(Json(detail(&hub, &caller, identified(&id)?).await?))
}

/// Does something in a review: claim, release, comment, approve, reject, changes.
#[utoipa::path(post, path = "/reviews/{id}/notes", tag = "reviews", params(("id" = String, Path)),
    request_body = ReviewAct, responses((status = 200, body = ReviewDetail)))]
async fn act(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(act): Json<ReviewAct>,
) -> Result<Json<ReviewDetail>, Failure> {
    let id = identified(&id)?;
    hub.app.registry.act_on_review(&caller, id, shapes::asked_deed(act.kind), &act.text).await?;
    Ok(Json(detail(&hub, &caller, id).await?))
}

/// The canonical archive of the version under review, for those who may take part in it: to be looked at, not installed.
#[utoipa::path(get, path = "/reviews/{id}/archive", tag = "reviews", params(("id" = String, Path)), responses(
    (status = 200, content_type = "application/zip", body = Raw)))]
async fn archive(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let found = hub.app.registry.fetch_reviewed(&caller, identified(&id)?).await?;
    let version = &found.version;
    let media = Media::Zip(format!("{}-{}-under-review.zip", found.skill.slug, version.number));
    let bytes = Foreign::of_blob(version.digest, 0, version.size, &media, &version.digest.hex(), Keeping::Nobody);
    Ok(bytes.answer(&hub.app.blobs, &request))
}

/// The files of the version under review.
#[utoipa::path(get, path = "/reviews/{id}/files", tag = "reviews", params(("id" = String, Path)),
    responses((status = 200, body = FileList)))]
async fn files(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<FileList>, Failure> {
    let (found, files) = hub.app.registry.reviewed_files(&caller, identified(&id)?).await?;
    let items = files.into_iter().map(|file| FileItem { path: file.path, size: file.size, digest: file.digest });
    let (version, digest) = (found.version.number.clone(), found.version.digest);
    Ok(Json(FileList { version, digest, items: items.collect() }))
}

/// The bytes of one file of the version under review.
#[utoipa::path(get, path = "/reviews/{id}/files/{*path}", tag = "reviews", params(("id" = String, Path),
    ("path" = String, Path)), responses(
    (status = 200, content((Raw = "text/plain"), (Raw = "text/markdown"), (Raw = "application/octet-stream")))))]
async fn file(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((id, path)): Path<(String, String)>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let (found, file) = hub.app.registry.reviewed_file(&caller, identified(&id)?, &path).await?;
    let end = file.position.saturating_add(file.size);
    let (media, tag) = (Media::of(&file.path), file.digest.hex());
    let bytes = Foreign::of_blob(found.version.digest, file.position, end, &media, &tag, Keeping::Nobody);
    Ok(bytes.answer(&hub.app.blobs, &request))
}

/// What differs between the version under review and the one that was admitted last before it.
#[utoipa::path(get, path = "/reviews/{id}/difference", tag = "reviews", params(("id" = String, Path)),
    responses((status = 200, body = ReviewDifference)))]
async fn difference(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<ReviewDifference>, Failure> {
    let of = hub.app.registry.review_difference(&caller, identified(&id)?).await?;
    let files = of.files.into_iter().map(|file| FileDifference {
        path: file.path,
        before: file.before,
        after: file.after,
        lines: file.lines,
    });
    Ok(Json(ReviewDifference {
        reference: of.found.reference(),
        digest: of.found.version.digest,
        base: of.base.map(|base| base.reference()),
        files: files.collect(),
    }))
}

fn identified(id: &str) -> Result<ReviewId, Failure> {
    id.parse().map_err(|_| Failure::new(Code::NotFound, "there is no such review"))
}

async fn detail(hub: &Hub, caller: &Caller, id: ReviewId) -> Result<ReviewDetail, Failure> {
    let registry = &hub.app.registry;
    let of = registry.review(caller, id).await?;
    let found = registry.reviewed(caller, id).await?;
    let assessment = shapes::assessment(&found, registry.assessment(&found.version).await?, usize::MAX);
    Ok(ReviewDetail {
        review: shapes::review(of.review),
        assessment,
        notes: of.notes.into_iter().map(shapes::note).collect(),
    })
}
