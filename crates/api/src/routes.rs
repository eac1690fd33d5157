use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::http::header::{ACCEPT, HeaderMap};
use axum::middleware::from_fn;
use axum::routing::{MethodFilter, on};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use crate::front::guard;
use crate::{Hub, native};

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
        if path == crate::mcp::PATH {
            return Self::Mcp;
        }
        if path.starts_with(crate::openai::BASE) {
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

/// Routes that are not part of the native API, with their line in the route table.
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
}

/// Routes of the native API, with their part of the OpenAPI document.
pub struct NativeRoutes(pub(crate) OpenApiRouter<Hub>);

impl NativeRoutes {
    /// No routes.
    pub fn new() -> Self {
        Self(OpenApiRouter::default())
    }

    /// Adds handlers that `utoipa_axum::routes!` collected; their paths are written without [`kontor_wire::BASE`].
    #[must_use]
    pub fn add(self, class: Class, routes: UtoipaMethodRouter<Hub>) -> Self {
        let layer = from_fn(move |request, next| guard(class, request, next));
        Self(self.0.routes(routes.layer(layer)))
    }

    /// Adds all routes of another theme.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0.merge(other.0))
    }
}

impl Default for NativeRoutes {
    fn default() -> Self {
        Self::new()
    }
}

/// Every route of the hub, sorted: what the viewer matrix walks.
pub fn table() -> Vec<Route> {
    let mut table = crate::others().table;
    let document = native::routes().described();
    for (path, item) in &document.paths.paths {
        let methods = [
            ("GET", &item.get),
            ("POST", &item.post),
            ("PUT", &item.put),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ];
        let present = methods.into_iter().filter(|(_, operation)| operation.is_some());
        table.extend(present.map(|(method, _)| Route { path: path.clone(), method: method.to_owned() }));
    }
    table.sort();
    table
}
