use axum::middleware::from_fn;
use kontor_front::{Class, Hub, guard};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};

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
