//! The pages where people approve devices and use one-time links.

mod device_page;
mod login_page;

use axum::http::Method;
use kontor_front::{Class, DEVICE_PAGE, LOGIN_PAGE, Routes};

/// What ends a browser session.
const LOGOUT: &str = "/logout";

pub(crate) use login_page::{needed, stale_form};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .get(DEVICE_PAGE, device_page::show)
        .on(&Method::POST, DEVICE_PAGE, Class::SignIn, device_page::submit)
        .on(&Method::GET, LOGIN_PAGE, Class::SignIn, login_page::show)
        .on(&Method::POST, LOGIN_PAGE, Class::SignIn, login_page::submit)
        .on(&Method::POST, LOGOUT, Class::SignIn, login_page::leave)
}
