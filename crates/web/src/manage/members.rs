//! Who belongs to a publisher, and in which role.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::{Caller, Member};
use kontor_front::extract::{Form, Path};
use kontor_front::{Asked, Failure, Hub};
use kontor_types::{Handle, PublisherKind, Role, Scope};
use maud::{Markup, html};

use super::{Before, Desk, Refused, Submitted, address};
use crate::deeds::held;
use crate::signed_in::SignedIn;
use crate::words::day;
use crate::{Language, Reader};

/// `GET /manage/{publisher}/members`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path(publisher): Path<String>,
) -> Result<Response, Failure> {
    let desk = Desk::open(&hub, &asked, &publisher).await?;
    page(&hub, &asked, &reader, &desk, None).await
}

async fn page(
    hub: &Hub,
    asked: &Asked,
    reader: &Reader,
    desk: &Desk,
    refused: Option<&Refused>,
) -> Result<Response, Failure> {
    let language = reader.language;
    let may = asked.caller.require_role(desk.id, Role::Admin, Scope::Admin).is_ok();
    let members = hub.app.access.members(&asked.caller, &desk.handle).await?;
    let personal = desk.kind == PublisherKind::Person;
    let body = html! {
        div.scroll tabindex="0" role="region" aria-label=(language.pick("Members", "成员")) { table {
            thead { tr {
                th scope="col" { (language.pick("Person", "人员")) }
                th scope="col" { (language.pick("Role", "角色")) }
                th scope="col" { (language.pick("Since", "加入于")) }
                @if may && !personal { th scope="col" { (language.pick("Change", "更改")) } }
            } }
            tbody { @for member in &members { tr {
                th scope="row" { a href={ "/@" (member.handle) } { "@" (member.handle) } " " bdi.faint { (member.display_name) } }
                td { (role(language, member.role)) }
                td.day { time datetime=(member.created_at) { (day(member.created_at)) } }
                @if may && !personal { td { (removing(language, desk, member, refused)) } }
            } } }
        } }
        @if personal {
            p.faint { (language.pick("This is a person's own publisher; it has no other members. For a group, make an organisation:", "这是个人的发布者，没有其他成员。如需团队，请创建组织：")) " " code { "kontor publisher create" } }
        } @else if may { (adding(language, desk, refused)) }
        @else { p.faint { (language.pick("Admins and owners change who belongs here. Your role: ", "管理员和所有者可以更改成员。您的角色：")) (role(language, desk.role)) } }
    };
    Ok(desk.page(reader, "/members", &body))
}

fn removing(language: Language, desk: &Desk, member: &Member, refused: Option<&Refused>) -> Markup {
    let before = Before::of(refused, "remove", |submitted| submitted.name == member.handle.as_str());
    let name = language.pick("Remove", "移除");
    html! {
        details open[before.is_refused()] {
            summary aria-label={ (name) " @" (member.handle) } { (name) }
            p.small { (language.pick("They can no longer publish here or see what is for members. What they published stays. You can add them again.", "移除后，其无法再在此发布，也看不到仅供成员查看的内容；已发布的内容会保留。之后可重新添加。")) }
            form.end method="post" action={ (address(&desk.handle)) "/members" } {
                (desk.hidden())
                input type="hidden" name="name" value=(member.handle);
                (before.said(language))
                button.danger type="submit" name="deed" value="remove" { (name) " @" (member.handle) }
            }
        }
    }
}

fn adding(language: Language, desk: &Desk, refused: Option<&Refused>) -> Markup {
    let before = Before::of(refused, "put", |_| true);
    let chosen = before.typed(|submitted| &submitted.role);
    let chosen = if chosen.is_empty() { Role::Member.as_str() } else { chosen };
    html! {
        h2 { (language.pick("Add somebody, or change their role", "添加成员或更改角色")) }
        form method="post" action={ (address(&desk.handle)) "/members" } {
            (desk.hidden())
            (before.said(language))
            label.field { span { (language.pick("Their name on this hub", "其在本技能中心的名称")) }
                input type="text" name="name" value=(before.typed(|submitted| &submitted.name)) required maxlength="64"
                    autocomplete="off" autocapitalize="none" spellcheck="false" aria-invalid=[before.invalid()] aria-describedby=[before.about()];
            }
            label.field { span { (language.pick("Role", "角色")) }
                select name="role" { @for one in Role::ALL.iter().rev() {
                    option value=(one) selected[one.as_str() == chosen] { (role(language, *one)) }
                } }
            }
            button type="submit" name="deed" value="put" { (language.pick("Save", "保存")) }
        }
    }
}

/// `POST /manage/{publisher}/members`
pub async fn act(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path(publisher): Path<String>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    let desk = Desk::open(&hub, &asked, &publisher).await?;
    let done = change(&hub, &asked.caller, &desk, &submitted).await;
    match done {
        Ok(place) => Ok(Redirect::to(&place).into_response()),
        Err(failure) => {
            let refused = Refused::new(failure, submitted)?;
            Ok(refused.answer(page(&hub, &asked, &reader, &desk, Some(&refused)).await?))
        }
    }
}

async fn change(hub: &Hub, caller: &Caller, desk: &Desk, submitted: &Submitted) -> Result<String, Failure> {
    let person = Handle::parse(submitted.name.trim().trim_start_matches('@'));
    let person = person.map_err(|error| Failure::invalid(error.to_string()))?;
    let access = &hub.app.access;
    match submitted.deed.as_str() {
        "put" => {
            let role = Role::ALL.iter().copied().find(|role| role.as_str() == submitted.role);
            let role = role.ok_or_else(|| Failure::invalid("there is no such role"))?;
            access.put_member(caller, &desk.handle, &person, role).await?;
        }
        "remove" => {
            access.remove_member(caller, &desk.handle, &person).await?;
            if caller.person.as_ref().is_some_and(|(_, own)| *own == person) {
                // Who has left finds nothing here any more.
                return Ok(format!("/@{}", desk.handle));
            }
        }
        _ => return Err(Failure::invalid("members know no such deed")),
    }
    Ok(format!("{}/members", address(&desk.handle)))
}

const fn role(language: Language, role: Role) -> &'static str {
    match role {
        Role::Owner => language.pick("owner: everything", "所有者：一切权限"),
        Role::Admin => language.pick("admin: members and settings too", "管理员：另可管理成员和设置"),
        Role::Maintainer => language.pick("maintainer: publishes and changes skills", "维护者：发布和更改技能"),
        Role::Reviewer => language.pick("reviewer: decides on held versions", "审核人：审核暂缓的版本"),
        Role::Member => language.pick("member: sees what members see", "成员：可查看组织内的内容"),
    }
}
