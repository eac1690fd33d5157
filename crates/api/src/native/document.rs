//! What the OpenAPI document says of every route alike: how to sign in, how errors look, how to repeat a write safely.

use kontor_wire::ProblemBody;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder,
    Type,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::front::COOKIE;

const PROBLEM: &str = "ProblemBody";

/// An empty document with the API's name.
pub(super) fn begin() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Kontor")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("The native API of a Kontor hub: skills, publishers, people and the audit trail."))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// Adds to each route what all have in common.
pub(super) fn finish(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    let mut schemas = Vec::new();
    ProblemBody::schemas(&mut schemas);
    components.schemas.extend(schemas);
    components.schemas.insert(PROBLEM.to_owned(), ProblemBody::schema());
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("kontor_…").build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let cookie = ApiKeyValue::with_description(COOKIE, "A browser session; `__Host-` comes before the name over TLS");
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let nothing = Vec::<String>::new;
    document.security = Some(vec![
        SecurityRequirement::default(),
        SecurityRequirement::new("token", nothing()),
        SecurityRequirement::new("session", nothing()),
    ]);
    for item in document.paths.paths.values_mut() {
        for (operation, writes) in operations(item) {
            complete(operation, writes);
        }
    }
    document
}

/// The operations of a path, and whether each changes something.
pub(super) fn operations(item: &mut PathItem) -> Vec<(&mut Operation, bool)> {
    let read = item.get.as_mut().map(|operation| (operation, false));
    let writes = [&mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    let writes = writes.into_iter().filter_map(Option::as_mut).map(|operation| (operation, true));
    read.into_iter().chain(writes).collect()
}

fn complete(operation: &mut Operation, writes: bool) {
    let tag = operation.tags.iter().flatten().next().map(|tag| tag.replace('-', "_")).unwrap_or_default();
    // A handler's name says enough beside its theme, but not in the whole document.
    operation.operation_id = operation.operation_id.take().map(|name| format!("{tag}_{name}"));
    let schema = Ref::from_schema_name(PROBLEM);
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let problem = ResponseBuilder::new()
        .description("What went wrong (RFC 9457)")
        .content("application/problem+json", content)
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(problem));
    if writes {
        operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
    }
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some("The same key and request again get the first answer; kept for a day"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).max_length(Some(200)).build()))
        .build()
}
