use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::http::header::{ACCEPT, HeaderMap};
use axum::middleware::from_fn;
use axum::routing::{MethodFilter, on};

use crate::Hub;
use crate::guard::guard;

/// Where agents' clients ask.
pub const MCP_PATH: &str = "/mcp";
/// Where clients of OpenAI ask.
pub const OPENAI_BASE: &str = "/openai/";
/// Where people approve devices.
pub const DEVICE_PAGE: &str = "/device";
/// Where one-time links lead.
pub const LOGIN_PAGE: &str = "/login";

/// What a route is for: its rate, the largest body, and the time it may take go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Only reads.
    Read,
    /// Changes something with a small body.
    Write,
    /// Takes a file or a package.
    Upload,
    /// Takes a package of somebody else's; an administrator may do that in bulk.
    Import,
    /// Calls a model.
    Model,
    /// A step of signing in.
    SignIn,
    /// For operators and their probes: no limits.
    Operations,
}

/// How errors look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The native API: problem+json.
    Native,
    /// Clients that show plain text.
    Text,
    /// Agents' clients: errors of JSON-RPC.
    Mcp,
    /// Clients of OpenAI: errors in its form.
    OpenAi,
    /// People with a browser.
    Page,
}

impl Surface {
    /// The surface that a path belongs to.
    pub fn of(path: &str, headers: &HeaderMap) -> Self {
        if path == kontor_wire::BASE || path.strip_prefix(kontor_wire::BASE).is_some_and(|rest| rest.starts_with('/')) {
            return Self::Native;
        }
        if path == MCP_PATH {
            return Self::Mcp;
        }
        if path.starts_with(OPENAI_BASE) {
            return Self::OpenAi;
        }
        if path.starts_with("/api/") || path.contains("/.well-known/") {
            return Self::Text;
        }
        let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if accepted.contains("text/html") { Self::Page } else { Self::Text }
    }
}

/// One line of the route table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The path's pattern.
    pub path: String,
    /// The method.
    pub method: String,
}

/// Routes, each with its line in the route table.
#[derive(Default)]
pub struct Routes {
    pub(crate) router: Router<Hub>,
    pub(crate) table: Vec<Route>,
}

impl Routes {
    /// No routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Routes whose handlers stand behind [`guard`] already, with their lines.
    pub const fn of(router: Router<Hub>, table: Vec<Route>) -> Self {
        Self { router, table }
    }

    /// Adds a route; `GET` also answers `HEAD`.
    ///
    /// A method that a router cannot serve is left out of the router but not of the table, where a test finds it.
    #[must_use]
    pub fn on<H, T>(mut self, method: &Method, path: &str, class: Class, handler: H) -> Self
    where
        H: Handler<T, Hub>,
        T: 'static,
    {
        if let Ok(filter) = MethodFilter::try_from(method.clone()) {
            let layer = from_fn(move |request, next| guard(class, request, next));
            self.router = self.router.route(path, on(filter, handler).layer(layer));
        }
        self.table.push(Route { path: path.to_owned(), method: method.to_string() });
        self
    }

    /// Adds a route for `GET` and `HEAD` that only reads.
    #[must_use]
    pub fn get<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, Hub>,
        T: 'static,
    {
        self.on(&Method::GET, path, Class::Read, handler)
    }

    /// Adds a route for `POST` that changes something.
    #[must_use]
    pub fn post<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, Hub>,
        T: 'static,
    {
        self.on(&Method::POST, path, Class::Write, handler)
    }

    /// Adds all routes of another theme.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.table.extend(other.table);
        self
    }

    /// The lines of the route table, sorted.
    pub fn table(mut self) -> Vec<Route> {
        self.table.sort();
        self.table
    }
}
