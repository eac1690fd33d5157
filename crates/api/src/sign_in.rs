//! Signing in: the device dialect of the ClawHub clients, and the pages where people approve devices and use links.

mod cookie;
mod device_page;
mod devices;
mod login_page;

use axum::http::Method;

use crate::{Class, Routes};

/// Where people approve devices.
pub(crate) const DEVICE_PAGE: &str = "/device";
/// Where one-time links lead.
pub(crate) const LOGIN_PAGE: &str = "/login";
/// What ends a browser session.
const LOGOUT: &str = "/logout";

pub(crate) use login_page::stale_form;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(&Method::POST, "/api/cli/device/code", Class::SignIn, devices::start)
        .on(&Method::POST, "/api/cli/device/token", Class::SignIn, devices::poll)
        .get(DEVICE_PAGE, device_page::show)
        .on(&Method::POST, DEVICE_PAGE, Class::SignIn, device_page::submit)
        .on(&Method::GET, LOGIN_PAGE, Class::SignIn, login_page::show)
        .on(&Method::POST, LOGIN_PAGE, Class::SignIn, login_page::submit)
        .on(&Method::POST, LOGOUT, Class::SignIn, login_page::leave)
}
