//! Choosing a password, and changing it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::{Error, Proof, SecretString};
use kontor_front::extract::Form;
use kontor_front::{Asked, Failure, Hub};
use maud::{Markup, html};
use serde::Deserialize;

use super::PATH;
use crate::deeds::{form_token, held};
use crate::signed_in::SignedIn;
use crate::{Language, Reader, layout};

/// Where a password is chosen.
pub const PASSWORD: &str = "/account/password";

/// A password, typed twice, and the one before where there is one.
#[derive(Deserialize)]
pub struct Submitted {
    form: String,
    new: String,
    again: String,
    #[serde(default)]
    current: String,
}

/// `GET /account/password`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
) -> Result<Response, Failure> {
    page(&hub, &asked, &reader, None).await
}

async fn page(hub: &Hub, asked: &Asked, reader: &Reader, wrong: Option<&str>) -> Result<Response, Failure> {
    let language = reader.language;
    let form = form_token(asked).unwrap_or_default();
    let has_one = hub.app.access.password_set_at(&asked.caller).await?.is_some();
    let title = if has_one {
        language.pick("Change the password", "修改密码")
    } else {
        language.pick("Choose a password", "设置密码")
    };
    let body = html! {
        p.trail { a href=(PATH) { (language.pick("Your account", "我的账户")) } }
        h1 { (title) }
        p.lead {
            @if has_one { (language.pick("Everywhere else you are signed out, and one-time links that you have not used end.", "其他登录会被退出，未使用的一次性链接也会失效。")) }
            @else { (language.pick("With it you can sign in without a one-time link.", "设置后无需一次性链接即可登录。")) }
        }
        @if let Some(wrong) = wrong { p.note.bad id="wrong" role="alert" { (wrong) } }
        (fields(language, &form, has_one, wrong.is_some()))
        @if !has_one { p { a href="/" { (language.pick("Not now", "以后再说")) } } }
    };
    let page = layout::page(reader, title, "", &body);
    Ok(if wrong.is_some() { (StatusCode::UNPROCESSABLE_ENTITY, page).into_response() } else { page })
}

fn fields(language: Language, form: &str, has_one: bool, wrong: bool) -> Markup {
    let (invalid, about) = (wrong.then_some("true"), wrong.then_some("wrong"));
    html! {
        form method="post" action=(PASSWORD) {
            input type="hidden" name="form" value=(form);
            @if has_one {
                label.field {
                    span { (language.pick("Your password now", "当前密码")) }
                    input type="password" name="current" autocomplete="current-password" required maxlength="1024" aria-invalid=[invalid] aria-describedby=[about];
                }
            }
            label.field {
                span { (language.pick("New password, at least 12 characters", "新密码（至少 12 个字符）")) }
                input type="password" name="new" autocomplete="new-password" required maxlength="1024" aria-invalid=[invalid] aria-describedby=[about];
            }
            label.field {
                span { (language.pick("The same again", "再次输入新密码")) }
                input type="password" name="again" autocomplete="new-password" required maxlength="1024" aria-invalid=[invalid] aria-describedby=[about];
            }
            button type="submit" { (language.pick("Save", "保存")) }
        }
    }
}

/// `POST /account/password`
pub async fn set(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    let language = reader.language;
    if submitted.new != submitted.again {
        let wrong =
            language.pick("The two are not the same. Type the new password twice.", "两次输入不一致，请重新输入。");
        return page(&hub, &asked, &reader, Some(wrong)).await;
    }
    let current = Some(submitted.current).filter(|current| !current.is_empty());
    let proof = current.map_or(Proof::Session, |current| Proof::Current(SecretString::from(current)));
    let set = hub.app.access.set_password(&asked.caller, &SecretString::from(submitted.new), proof).await;
    let wrong = match set {
        Ok(_) => return Ok(Redirect::to(&format!("{PATH}#password")).into_response()),
        Err(Error::WrongPassword) => language.pick("Your password now is another one.", "当前密码不正确。").to_owned(),
        Err(error @ Error::TooManyPasswords { .. }) => {
            let told = language.pick("Too many wrong passwords. Wait before the next.", "密码错误次数过多，请稍后再试。");
            let shown = page(&hub, &asked, &reader, Some(told)).await?;
            return Ok((Failure::from(error).status(), shown.into_body()).into_response());
        }
        Err(Error::NoProof) => language
            .pick(
                "This browser was signed in too long ago. Come in again by a one-time link (`kontor login --web`, or from an administrator), then choose the password within 15 minutes.",
                "此浏览器登录已久。请重新通过一次性链接登录（`kontor login --web`，或向管理员索取），并在 15 分钟内设置密码。",
            )
            .to_owned(),
        Err(Error::Invalid { reason }) => {
            format!("{}{reason}", language.pick("This password cannot be taken: ", "无法使用此密码："))
        }
        Err(error) => return Err(error.into()),
    };
    page(&hub, &asked, &reader, Some(&wrong)).await
}
