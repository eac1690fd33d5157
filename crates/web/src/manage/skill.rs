//! One skill as its publisher looks after it: use, versions, tags, withdrawing, deprecating, its name and who sees it.

mod forms;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::Caller;
use kontor_front::extract::{Form, Path};
use kontor_front::{Asked, Failure, Hub};
use kontor_registry::{DayUse, Skill, Tag, Version, VersionState, VersionUse};
use kontor_types::{Day, PageSize, SkillRef, Slug, TagName, VersionSelector, Visibility};
use maud::{Markup, html};

use super::{Desk, Refused, Submitted, address};
use crate::deeds::held;
use crate::signed_in::SignedIn;
use crate::words::day;
use crate::{Language, Reader, chart, open, publish};

/// The most versions that are listed.
const MOST: u32 = 100;
/// The most characters of a reason.
const LONGEST: usize = 2_000;

/// `GET /manage/{publisher}/skills/{skill}`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path((publisher, skill)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let desk = Desk::open(&hub, &asked, &publisher).await?;
    let name = name(&desk, &skill)?;
    page(&hub, &asked, &reader, (&desk, &name), None).await
}

async fn page(
    hub: &Hub,
    asked: &Asked,
    reader: &Reader,
    (desk, name): (&Desk, &SkillRef),
    refused: Option<&Refused>,
) -> Result<Response, Failure> {
    let (registry, viewer) = (&hub.app.registry, asked.caller.viewer());
    let skill = registry.skill(viewer, name).await.map_err(open::hidden)?;
    // A name that the skill had leads to it elsewhere; who looks after it there is another question.
    if skill.publisher != desk.handle {
        return Err(Failure::not_found());
    }
    let sheet = Sheet {
        language: reader.language,
        desk,
        skill: &skill,
        versions: &registry.versions(viewer, name, PageSize::clamped(MOST), None).await?.items,
        tags: &registry.tags(viewer, skill.id).await?,
        days: &registry.usage(viewer, name, chart::DAYS).await?,
        by_version: &registry.usage_by_version(viewer, name).await?,
        today: hub.app.clock.now().day(),
        refused,
    };
    Ok(desk.page(reader, "", &sheet.body()))
}

/// `POST /manage/{publisher}/skills/{skill}`
pub async fn act(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path((publisher, skill)): Path<(String, String)>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    let desk = Desk::open(&hub, &asked, &publisher).await?;
    let name = name(&desk, &skill)?;
    let done = change(&hub, &asked.caller, &name, &submitted).await;
    match done {
        Ok(place) => Ok(Redirect::to(&place).into_response()),
        Err(failure) => {
            let refused = Refused::new(failure, submitted)?;
            Ok(refused.answer(page(&hub, &asked, &reader, (&desk, &name), Some(&refused)).await?))
        }
    }
}

/// Does what was asked, and says where to look at it.
async fn change(hub: &Hub, caller: &Caller, name: &SkillRef, submitted: &Submitted) -> Result<String, Failure> {
    let registry = &hub.app.registry;
    let number = || {
        let number = submitted.version.trim().parse::<kontor_types::Version>();
        number.map_err(|_| Failure::invalid("name the version, like 1.2.3"))
    };
    let version = || Ok::<_, Failure>(SkillRef { version: Some(VersionSelector::Exact(number()?)), ..name.clone() });
    let tag = || TagName::parse(submitted.name.trim()).map_err(|error| Failure::invalid(error.to_string()));
    let reason = submitted.reason.trim();
    let mut slug = name.slug.clone();
    let section = match submitted.deed.as_str() {
        "yank" => {
            registry.yank(caller, &version()?, reason).await?;
            "versions"
        }
        "unyank" => {
            registry.unyank(caller, &version()?).await?;
            "versions"
        }
        "tag" => {
            registry.set_tag(caller, name, &tag()?, &number()?).await?;
            "tags"
        }
        "untag" => {
            registry.remove_tag(caller, name, &tag()?).await?;
            "tags"
        }
        "deprecate" => {
            let successor = Some(submitted.successor.trim()).filter(|text| !text.is_empty());
            let successor = successor.map(str::parse::<SkillRef>).transpose();
            let successor = successor.map_err(|error| Failure::invalid(error.to_string()))?;
            registry.deprecate(caller, name, reason, successor.as_ref()).await?;
            "deprecate"
        }
        "undeprecate" => {
            registry.undeprecate(caller, name).await?;
            "deprecate"
        }
        "visibility" => {
            let visibility = Visibility::ALL.iter().copied().find(|one| one.as_str() == submitted.visibility);
            let visibility = visibility.ok_or_else(|| Failure::invalid("choose who may see it"))?;
            registry.set_visibility(caller, name, visibility).await?;
            "visibility"
        }
        "rename" => {
            let to = Slug::parse(submitted.name.trim()).map_err(|error| Failure::invalid(error.to_string()))?;
            slug = registry.rename(caller, name, &to).await?.slug;
            "rename"
        }
        _ => return Err(Failure::invalid("a skill knows no such deed")),
    };
    let publisher = name.publisher.as_ref().map(address).unwrap_or_default();
    Ok(format!("{publisher}/skills/{slug}#{section}"))
}

fn name(desk: &Desk, skill: &str) -> Result<SkillRef, Failure> {
    let slug = Slug::parse(skill).map_err(|_| Failure::not_found())?;
    Ok(SkillRef::new(desk.handle.clone(), slug))
}

/// All about one skill.
struct Sheet<'a> {
    language: Language,
    desk: &'a Desk,
    skill: &'a Skill,
    versions: &'a [Version],
    tags: &'a [Tag],
    days: &'a [DayUse],
    by_version: &'a [VersionUse],
    today: Day,
    refused: Option<&'a Refused>,
}

impl Sheet<'_> {
    fn body(&self) -> Markup {
        let (language, skill) = (self.language, self.skill);
        let highest = self.versions.iter().map(|version| &version.number).max();
        html! {
            h2 { a href={ "/@" (skill.publisher) "/" (skill.slug) } { (skill.slug) } }
            p.row {
                span.badge { (publish::sight(language, skill.visibility)) }
                span.faint { (language.installs(skill.installs)) " · " (language.downloads(skill.downloads)) " · " (language.stars(skill.stars)) }
            }
            @if let Some(highest) = highest {
                p { a.button href=(publish::address(&skill.publisher, &skill.slug, &highest.next_patch())) { (language.pick("Publish the next version", "发布下一版本")) } }
            }
            section id="use" { h2 { (language.pick("How it is used", "使用情况")) } (chart::usage(language, self.days, self.today)) }
            section id="versions" { h2 { (language.words().versions) } (self.versions()) }
            section id="tags" { h2 { (language.pick("Tags", "标签")) } (self.tags()) }
            section id="visibility" { h2 { (language.pick("Who may see it", "谁可以看到")) } (self.visibility()) }
            section id="rename" { h2 { (language.pick("Its name", "名称")) } (self.naming()) }
            section id="deprecate" { h2 { (language.pick("Advise against it", "不再推荐使用")) } (self.advice()) }
        }
    }

    fn versions(&self) -> Markup {
        let language = self.language;
        html! {
            div.scroll tabindex="0" role="region" aria-label=(language.words().versions) { table {
                thead { tr {
                    th scope="col" { (language.words().number) }
                    th scope="col" { (language.words().published) }
                    th scope="col" { (language.pick("State", "状态")) }
                    th.number scope="col" { (language.pick("Installs", "安装")) }
                    th.number scope="col" { (language.pick("Downloads", "下载")) }
                    th scope="col" { (language.pick("Change", "更改")) }
                } }
                tbody { @for version in self.versions { (self.version(version)) } }
            } }
        }
    }

    fn version(&self, version: &Version) -> Markup {
        let language = self.language;
        let used = self.by_version.iter().find(|one| one.version_id == version.id);
        let tags = self.tags.iter().filter(|tag| tag.version_id == version.id);
        html! {
            tr {
                th scope="row" {
                    a href={ "/@" (self.skill.publisher) "/" (self.skill.slug) "@" (version.number) "/check" } { (version.number) }
                    @for tag in tags { " " span.badge { (tag.name) } }
                }
                td.day { time datetime=(version.created_at) { (day(version.created_at)) } }
                td { (state(language, version.state)) @if version.yanked_at.is_some() { " " span.badge.warn { (language.words().withdrawn) } } }
                td.number { (used.map_or(0, |used| used.installs)) }
                td.number { (used.map_or(0, |used| used.downloads)) }
                td { (self.withdrawing(version)) }
            }
        }
    }
}

/// How far a version has come, in a word.
fn state(language: Language, state: VersionState) -> Markup {
    let (class, word) = match state {
        VersionState::Visible => ("badge good", language.pick("admitted", "已放行")),
        VersionState::Pending => ("badge", language.pick("waits for its scan", "等待扫描")),
        VersionState::Held => ("badge warn", language.pick("held back", "已暂缓")),
        VersionState::Rejected => ("badge bad", language.pick("rejected", "已拒绝")),
    };
    html! { span class=(class) { (word) } }
}
