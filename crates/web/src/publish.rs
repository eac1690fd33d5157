//! Publishing from the browser: one archive, some files or a folder, and what the author says about it.

mod parts;
mod refusal;

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::Caller;
use kontor_front::extract::Query;
use kontor_front::{Asked, Failure, Hub};
use kontor_package::{Content, Limits};
use kontor_registry::{Outcome, Publish};
use kontor_types::{Code, Handle, Role, Scope, Slug, Version, Visibility};
use maud::{Markup, html};
use serde::Deserialize;

use crate::deeds::{form_token, held};
use crate::signed_in::SignedIn;
use crate::words::size;
use crate::{Language, Reader, layout, script};
use parts::{Given, Sent};
use refusal::Refusal;

/// Where skills are published.
pub const PATH: &str = "/publish";

/// What an author says about a package, as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wish {
    publisher: String,
    slug: String,
    version: String,
    changelog: String,
    visibility: String,
}

/// The address of the form with these places filled in.
pub fn address(publisher: &Handle, slug: &Slug, next: &Version) -> String {
    let filled = [("publisher", publisher.as_str()), ("slug", slug.as_str()), ("version", &next.to_string())];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("{PATH}?{}", query.extend_pairs(filled).finish())
}

/// `GET /publish`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Query(wish): Query<Wish>,
) -> Result<Response, Failure> {
    page(&hub, &asked, &reader, &wish, None).await
}

/// `POST /publish`: publishes what the form brings, and leads to what the hub says about it.
pub async fn submit(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    request: Request,
) -> Result<Response, Failure> {
    let limits = *hub.app.registry.limits();
    let mut sent = parts::read(request, &hub, &limits, |form| held(&asked, form).is_ok()).await?;
    held(&asked, &sent.form)?;
    match publish(&hub, &asked.caller, &limits, &mut sent).await {
        Ok(at) => Ok(Redirect::to(&at).into_response()),
        Err(refusal) => {
            if let Some(next) = &refusal.next {
                sent.wish.version = next.to_string();
            }
            page(&hub, &asked, &reader, &sent.wish, Some(&refusal)).await
        }
    }
}

/// Publishes, and says where the page of what came of it is.
async fn publish(hub: &Hub, caller: &Caller, limits: &Limits, sent: &mut Sent) -> Result<String, Refusal> {
    if let Some(refusal) = sent.refusal.take() {
        return Err(refusal);
    }
    let wish = &sent.wish;
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let publisher = Handle::parse(wish.publisher.trim().trim_start_matches('@'));
    let publisher = publisher.map_err(|error| Refusal::new(Code::InvalidName, error.to_string()))?;
    let slug = given(&wish.slug).map(|text| Slug::parse(&text)).transpose();
    let slug = slug.map_err(|error| Refusal::new(Code::InvalidName, error.to_string()))?;
    let version = given(&wish.version).map(|text| text.parse::<Version>()).transpose();
    let version = version.map_err(|error| Refusal::new(Code::InvalidVersion, error.to_string()))?;
    let visibility = Visibility::ALL.iter().copied().find(|one| one.as_str() == wish.visibility);
    let (content, folder) = content(std::mem::take(&mut sent.given), *limits).await?;
    let request = Publish {
        slug,
        folder,
        version,
        changelog: wish.changelog.trim().to_owned(),
        visibility,
        ..Publish::new(publisher, content)
    };
    let made = hub.app.registry.publish(caller, request).await?;
    let same = if made.outcome == Outcome::Unchanged { "?same=yes" } else { "" };
    Ok(format!("/@{}/{}@{}/check{same}", made.publisher, made.slug, made.number))
}

/// What was sent, unpacked away from the threads that serve requests; and the name of its folder.
async fn content(given: Given, limits: Limits) -> Result<(Content, Option<String>), Refusal> {
    let read = move || match given {
        Given::Nothing => Err(Refusal::new(Code::InvalidRequest, "nothing was chosen")),
        Given::Archive(bytes) => Ok((Content::from_archive(&bytes, &limits).map_err(Refusal::content)?, None)),
        Given::Files { folder, files } => Ok((Content::from_files(files, &limits).map_err(Refusal::content)?, folder)),
    };
    let read = tokio::task::spawn_blocking(read).await;
    read.unwrap_or_else(|_| Err(Refusal::new(Code::Unavailable, "the work was interrupted")))
}

/// The publishers that the caller may publish for, their own first.
async fn publishers(hub: &Hub, caller: &Caller) -> Result<Vec<Handle>, Failure> {
    let rows = hub.app.access.memberships(caller).await?;
    let may = |row: &kontor_access::Membership| {
        caller.require_role(row.publisher_id, Role::Maintainer, Scope::Publish).is_ok()
    };
    let mut handles: Vec<Handle> = rows.into_iter().filter(may).map(|row| row.handle).collect();
    let own = caller.person.as_ref().map(|(_, handle)| handle);
    handles.sort_by_key(|handle| (Some(handle) != own, handle.clone()));
    Ok(handles)
}

async fn page(
    hub: &Hub,
    asked: &Asked,
    reader: &Reader,
    wish: &Wish,
    refusal: Option<&Refusal>,
) -> Result<Response, Failure> {
    let language = reader.language;
    let title = language.pick("Publish a skill", "发布技能");
    let form = form_token(asked).unwrap_or_default();
    let publishers = publishers(hub, &asked.caller).await?;
    let body = html! {
        h1 { (title) }
        @if publishers.is_empty() {
            (may_not(language))
        } @else {
            p.lead { (language.pick(
                "The hub scans what you send, then decides. You see each finding at its line, and what to do about it.",
                "技能中心会先扫描再判定。每项发现都会标明所在的行以及处理办法。")) }
            @if let Some(refusal) = refusal { (refusal.shown(language)) }
            (fields(language, &form, wish, &publishers, hub.app.registry.limits()))
            p.faint.small { (language.pick("In a terminal: ", "在终端中：")) code { "kontor publish ./my-skill --registry " (hub.absolute("")) } }
        }
        (script::load("publish.js"))
    };
    let mut response = layout::page(reader, title, "", &body);
    if let Some(refusal) = refusal {
        *response.status_mut() = StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    }
    Ok(response)
}

/// For who belongs to no publisher, or is signed in with fewer rights.
fn may_not(language: Language) -> Markup {
    html! {
        div.empty {
            p { (language.pick("You may not publish here with this sign-in.", "当前登录无权在此发布。")) }
            p { (language.pick(
                "Ask an administrator of this hub for the right to publish, or the owner of a publisher to make you a maintainer.",
                "请向本技能中心的管理员申请发布权限，或请发布者的所有者将您设为维护者。")) }
        }
    }
}

fn fields(language: Language, form: &str, wish: &Wish, publishers: &[Handle], limits: &Limits) -> Markup {
    let most = |files: usize, bytes: u64| match language {
        Language::English => format!(
            "At most {files} files and {} together. The folder or archive holds SKILL.md at its top.",
            size(bytes)
        ),
        Language::Chinese => {
            format!("最多 {files} 个文件，合计 {}。SKILL.md 位于文件夹或压缩包的最上层。", size(bytes))
        }
    };
    html! {
        form.publish method="post" action=(PATH) enctype="multipart/form-data" data-publish
            data-most=(limits.skill_bytes) data-chosen=(language.pick("Ready to send: ", "待发送："))
            data-large=(language.pick("This is larger than the hub takes.", "超过了技能中心的上限。"))
            data-sending=(language.pick("Sending …", "正在发送…"))
            data-broken=(language.pick("Sending failed. Look at your connection and try again.", "发送失败。请检查网络后重试。")) {
            input type="hidden" name="form" value=(form);
            fieldset.drop data-drop {
                legend { (language.pick("The skill", "技能")) }
                p.dropping { (language.pick("Drop a folder, files or an archive here, or choose:", "将文件夹、文件或压缩包拖到此处，或选择：")) }
                label.field { span { (language.pick("An archive (.zip, .tar.gz) or files", "压缩包（.zip、.tar.gz）或文件")) } input type="file" name="files" multiple; }
                label.field { span { (language.pick("or a folder", "或文件夹")) } input type="file" name="folder" webkitdirectory multiple; }
                p.small.faint { (most(limits.files, limits.skill_bytes)) }
                p role="status" data-said {}
                progress hidden max="1" value="0" aria-label=(language.pick("Sent", "已发送")) {}
            }
            @if let [only] = publishers {
                input type="hidden" name="publisher" value=(only);
            } @else {
                label.field { span { (language.pick("Publisher", "发布者")) }
                    select name="publisher" { @for one in publishers {
                        option value=(one) selected[one.as_str() == wish.publisher] { "@" (one) }
                    } }
                }
            }
            div.two {
                label.field { span { (language.pick("Name", "名称")) } input type="text" name="slug" maxlength="64" autocomplete="off" value=(wish.slug) placeholder=(language.pick("as the package says", "以技能包为准")); }
                label.field { span { (language.pick("Version", "版本")) } input type="text" name="version" maxlength="128" autocomplete="off" value=(wish.version) placeholder=(language.pick("as it says, or the next one", "以技能包为准，或下一版本号")); }
            }
            label.field { span { (language.pick("What has changed", "更新内容")) } textarea name="changelog" maxlength="20000" { (wish.changelog) } }
            label.field { span { (language.pick("Who may see it, when it is new", "（新技能）谁可以看到")) }
                select name="visibility" { @for one in Visibility::ALL {
                    option value=(one) selected[one.as_str() == wish.visibility] { (sight(language, *one)) }
                } }
            }
            button type="submit" { (language.pick("Publish", "发布")) }
        }
    }
}

/// Who may see a skill, in words.
pub const fn sight(language: Language, visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => language.pick("Everybody", "所有人"),
        Visibility::Unlisted => {
            language.pick("Whoever knows its name; no list shows it", "知道名称的人；不出现在列表中")
        }
        Visibility::Organisation => language.pick("Members of the publisher", "发布者的成员"),
        Visibility::Private => {
            language.pick("Those who maintain it: owners, admins, maintainers", "维护它的人：所有者、管理员、维护者")
        }
    }
}
