//! Whether the hub does what it should, each part with what to do when it does not.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use kontor_front::{Asked, Failure, Hub};
use kontor_registry::Progress;
use maud::{Markup, html};

use super::{jobs, no_permission, page, reviews};
use crate::signed_in::SignedIn;
use crate::words::minute;
use crate::{Language, Reader};

/// Where the hub's health is.
pub const PATH: &str = "/console/health";

/// `GET /console/health`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
) -> Result<Response, Failure> {
    if !reader.administrator {
        return Ok(no_permission(&reader, PATH));
    }
    let language = reader.language;
    // Asked of the database: this page would not be there without it.
    let work = hub.app.background(&asked.caller).await?;
    let oldest = work.kinds.iter().filter_map(|kind| kind.oldest).min();
    let late = oldest.filter(|at| hub.app.clock.now().since(*at) > std::time::Duration::from_mins(10));
    let fault = hub.app.log_fault();
    let progress = hub.app.registry.index_progress().await?;
    let backend = format!("{:?}", hub.app.db.backend());
    let body = html! {
        div.scroll tabindex="0" role="region" aria-label=(language.pick("Health", "运行状况")) { table.touches {
            thead { tr {
                th scope="col" { (language.pick("Part", "部分")) }
                th scope="col" { (language.pick("State", "状态")) }
                th scope="col" { (language.pick("What to do", "处理方法")) }
            } }
            tbody {
                (line(language, language.pick("Requests", "请求"), hub.health.is_serving(), &html! { (language.pick("The hub starts or stops; wait.", "技能中心正在启动或停止，请稍候。")) }))
                (line(language, &format!("{} ({backend})", language.pick("Database", "数据库")), true, &html! {}))
                (line(language, language.pick("Transparency log", "透明日志"), fault.is_none(), &html! { span lang="en" { (fault.unwrap_or_default()) } }))
                (line(language, language.pick("Search", "搜索"), progress == Progress::Current, &search(language, progress)))
                (line(language, language.pick("Background work in time", "后台任务按时执行"), late.is_none(), &html! {
                    (language.pick("The oldest job is due since ", "最早的任务应执行于 ")) @if let Some(at) = late { time datetime=(at) { (minute(at)) } } ". "
                    a href=(jobs::PATH) { (language.pick("Look at the jobs", "查看后台任务")) }
                }))
                (line(language, language.pick("No work given up", "没有被放弃的任务"), work.failed.is_empty(), &html! {
                    a href=(jobs::PATH) { (language.pick("See why, and try it again", "查看原因并重试")) }
                }))
                (line(language, language.pick("Every version decided", "所有版本均已判定"), work.undecided == 0, &html! {
                    (work.undecided) " " (language.pick("versions wait for their scan.", "个版本等待扫描。")) " "
                    a href=(reviews::REVIEWS) { (language.pick("Reviews", "审核")) }
                }))
            }
        } }
        p.faint { (language.pick("For programs: ", "供程序使用：")) a href="/healthz" { code { "/healthz" } } ", " a href="/readyz" { code { "/readyz" } } }
    };
    Ok(page(&reader, PATH, &body))
}

/// What search does not find yet.
fn search(language: Language, progress: Progress) -> Markup {
    html! {
        @match progress {
            Progress::Built { skills, of } => {
                (language.pick("It is being made anew and finds ", "正在重建索引，目前可找到 ")) (skills) (language.pick(" of ", " 个技能，共 ")) (of)
                (language.pick(" skills; wait.", " 个，请稍候。"))
            }
            Progress::Behind(changes) => {
                (changes) (language.pick(" changes are not in it yet; wait.", " 项更改尚未计入，请稍候。"))
            }
            Progress::Current => {}
        }
    }
}

fn line(language: Language, part: &str, good: bool, remedy: &Markup) -> Markup {
    html! {
        tr {
            th scope="row" { (part) }
            td { @if good { span.badge.good { (language.pick("good", "正常")) } } @else { span.badge.warn { (language.pick("look at it", "需要关注")) } } }
            td { @if !good { (remedy) } }
        }
    }
}
