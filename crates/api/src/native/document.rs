//! What the OpenAPI document says of every route alike: how to sign in, how errors look, how to repeat a write safely.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::HeaderMap;
use axum::response::Response;
use kontor_types::Code;
use kontor_wire::ProblemBody;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    self, ContentBuilder, InfoBuilder, KnownFormat, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    ResponseBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::routes;

use kontor_front::COOKIE;

use crate::{Class, Failure, NativeRoutes, foreign};

const PROBLEM: &str = "ProblemBody";

/// Themes, in the order of the document.
const TAGS: &[(&str, &str)] = &[
    ("skills", "Finding skills, and what their maintainers do to them"),
    ("versions", "A skill's versions, their archives and files"),
    ("tags", "Movable pointers to versions"),
    ("trust", "What was found in versions, what was decided, and another look"),
    ("reviews", "Deciding what the policy leaves to people"),
    ("policy", "By which rules versions are admitted"),
    ("publishing", "Publishing versions and importing skills of a source"),
    ("installs", "What an installer asks and tells"),
    ("runs", "Runs of skills on the hub, with their files and receipts"),
    ("purse", "Money to buy with"),
    ("mandates", "What may be bought in a person's name, and the keys that sign it"),
    ("merchants", "Merchants that the hub buys from, and what they sell"),
    ("checkouts", "Purchases, from a merchant's quote to the order, refunds and receipts"),
    ("ledger", "Accounts and what went through them"),
    ("errands", "What people ask for in a sentence, done step by step"),
    ("workflows", "What the hub does step by step: journals, questions, ending and retrying"),
    ("stars", "What people like"),
    ("activations", "What the caller's agents have as tools of their own"),
    ("consents", "What the caller lets versions have when they run"),
    ("reports", "Reports of abuse"),
    ("transfers", "Handing skills to other publishers"),
    ("webhooks", "Telling other programs what happened"),
    ("publishers", "People and organisations that own skills"),
    ("secrets", "What publishers keep sealed for runs of their choice"),
    ("members", "Who belongs to an organisation"),
    ("people", "People, for administrators, and who the caller is"),
    ("tokens", "The caller's access tokens"),
    ("sessions", "Where the caller is signed in with a browser, and their password"),
    ("sign-in", "Signing in devices and browsers"),
    ("models", "Use of models and budgets for it"),
    ("audit", "What was done, by whom"),
    ("hub", "The hub itself"),
];

/// Operations that are sent with POST but change nothing of anybody's, so that nobody has to sign in for them.
const OPEN: &[&str] = &[
    "installs_check",
    "installs_outdated",
    "installs_report",
    "installs_resolve",
    "sign_in_poll",
    "sign_in_start",
    "trust_list",
];

/// Operations that only read but are about the caller, or for members or administrators.
const CLOSED: &[&str] = &[
    "activations_list",
    "consents_list",
    "audit_list",
    "checkouts_list",
    "checkouts_proof",
    "checkouts_receipt",
    "checkouts_show",
    "checkouts_undecided",
    "ledger_accounts",
    "ledger_statement",
    "mandates_keys",
    "mandates_list",
    "mandates_show",
    "hub_jobs",
    "hub_overview",
    "errands_events",
    "errands_list",
    "errands_show",
    "members_list",
    "merchants_list",
    "merchants_offers",
    "models_list",
    "models_show",
    "models_used",
    "people_list",
    "people_whoami",
    "policy_show",
    "purse_show",
    "reports_list",
    "reviews_archive",
    "reviews_difference",
    "reviews_file",
    "reviews_files",
    "reviews_list",
    "reviews_show",
    "runs_events",
    "runs_list",
    "runs_output",
    "runs_proof",
    "runs_receipt",
    "runs_said",
    "runs_show",
    "secrets_list",
    "sessions_list",
    "sessions_show",
    "sign_in_request",
    "tokens_list",
    "transfers_list",
    "trust_notices",
    "trust_waiting",
    "webhooks_list",
    "workflows_events",
    "workflows_list",
    "workflows_show",
];

/// Themes whose writes may move money.
const MONEY: &[&str] = &["purse", "mandates", "checkouts"];

/// What each place in a path stands for.
const PLACES: &[(&str, &str)] = &[
    ("digest", "`sha256:` and 64 hexadecimal digits"),
    ("handle", "A person's handle"),
    ("id", "The id that the hub gave"),
    ("m", "The hub's name for the merchant"),
    ("n", "The number of the account"),
    ("name", "The secret's name, that of a variable"),
    ("owner", "Whose budget: `person:NAME`, `publisher:NAME` or `errand:ID`"),
    ("p", "The publisher's handle"),
    ("path", "The file's path within the skill; slashes stay as they are"),
    ("person", "The member's handle"),
    ("s", "The skill's name within the publisher"),
    ("slug", "A skill's name, without its publisher"),
    ("stream", "`stdout` or `stderr`"),
    ("tag", "The tag's name"),
    ("user_code", "The code that the device shows"),
    ("v", "A version number, a tag or a range: `1.2.0`, `latest`, `^1.2`"),
];

/// Bytes as they are.
pub(super) struct Raw;

impl PartialSchema for Raw {
    fn schema() -> RefOr<openapi::Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(format))
            .description(Some("Bytes as they are"))
            .into()
    }
}

impl ToSchema for Raw {}

pub(super) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(document))
}

/// This description of the native API.
#[utoipa::path(get, path = "/openapi.json", tag = "hub",
    responses((status = 200, body = serde_json::Value, description = "An OpenAPI document")))]
async fn document(request: HeaderMap) -> Result<Response, Failure> {
    static TEXT: LazyLock<Option<String>> = LazyLock::new(|| super::openapi().to_pretty_json().ok());
    let text = TEXT.clone().ok_or_else(|| Failure::new(Code::Internal, "the document cannot be written"))?;
    Ok(foreign::document(&request, "application/json", text.into_bytes(), foreign::Keeping::AMinute))
}

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
    components.responses.extend(problems());
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("kontor_…").build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let cookie = ApiKeyValue::with_description(COOKIE, "A browser session; `__Host-` comes before the name over TLS");
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    document.security = Some([vec![SecurityRequirement::default()], signed_in()].concat());
    let tag =
        |(name, text): &(&str, &str)| openapi::tag::TagBuilder::new().name(*name).description(Some(*text)).build();
    document.tags = Some(TAGS.iter().map(tag).collect());
    let paths = std::mem::take(&mut document.paths.paths);
    for (path, mut item) in paths {
        for (operation, writes) in operations(&mut item) {
            complete(operation, writes);
        }
        // A place for the rest of a path is written with a star here, which OpenAPI does not know.
        document.paths.paths.insert(path.replace("{*", "{"), item);
    }
    document
}

/// The operations of a path, and whether each changes something.
fn operations(item: &mut PathItem) -> Vec<(&mut Operation, bool)> {
    let read = item.get.as_mut().map(|operation| (operation, false));
    let writes = [&mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    let writes = writes.into_iter().filter_map(Option::as_mut).map(|operation| (operation, true));
    read.into_iter().chain(writes).collect()
}

fn complete(operation: &mut Operation, writes: bool) {
    let tag = operation.tags.iter().flatten().next().map(|tag| tag.replace('-', "_")).unwrap_or_default();
    // A handler's name says enough beside its theme, but not in the whole document.
    let name = operation.operation_id.take().map(|name| format!("{tag}_{name}")).unwrap_or_default();
    let closed = if writes { !OPEN.contains(&name.as_str()) } else { CLOSED.contains(&name.as_str()) };
    if closed {
        operation.security = Some(signed_in());
        if writes {
            operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
        }
    }
    operation.operation_id = Some(name);
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            describe(parameter);
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        settle(body);
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            meaning(status).clone_into(&mut response.description);
        }
    }
    for status in failures(operation, writes && closed) {
        let response = RefOr::Ref(Ref::from_response_name(response_name(status)));
        operation.responses.responses.insert(status.to_string(), response);
    }
    let rest = RefOr::Ref(Ref::from_response_name("Problem"));
    operation.responses.responses.insert("default".to_owned(), rest);
}

fn describe(parameter: &mut Parameter) {
    if parameter.parameter_in == ParameterIn::Path {
        let known = PLACES.iter().find(|(name, _)| *name == parameter.name);
        parameter.description = known.map(|(_, text)| (*text).to_owned());
    }
    // What may be left out is a text or a number when it is there, never null.
    if let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
        && let SchemaType::Array(types) = &object.schema_type
        && let Some(only) = types.iter().find(|one| **one != Type::Null)
    {
        object.schema_type = SchemaType::Type(only.clone());
    }
}

/// A body that may be left out is not null when it is there.
fn settle(body: &mut RequestBody) {
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(RefOr::T(Schema::OneOf(choice))) = &content.schema
        {
            content.schema = choice.items.iter().find(|item| matches!(item, RefOr::Ref(_))).cloned();
        }
    }
}

/// What a good answer means where its handler does not say.
const fn meaning(status: &str) -> &'static str {
    match status.as_bytes() {
        b"201" => "It was made",
        b"204" => "It was done",
        _ => "What was asked for",
    }
}

/// The statuses with which an operation may fail, besides those that are the hub's own fault.
fn failures(operation: &Operation, changes: bool) -> Vec<u16> {
    let parameters = || operation.parameters.iter().flatten();
    let has = |place: &ParameterIn| {
        parameters().any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == *place))
    };
    let body = operation.request_body.is_some();
    let takes_archive = match &operation.request_body {
        Some(RefOr::T(body)) => body.content.contains_key("application/zip"),
        _ => false,
    };
    let money = changes && operation.tags.iter().flatten().any(|tag| MONEY.contains(&tag.as_str()));
    let rules = [
        (402, money),
        (400, body || has(&ParameterIn::Query)),
        (401, true),
        (403, true),
        (404, body || has(&ParameterIn::Path)),
        (409, changes || body),
        (413, body),
        (422, takes_archive || money),
        (429, true),
    ];
    rules.into_iter().filter(|(_, applies)| *applies).map(|(status, _)| status).collect()
}

/// What a request carries that somebody signed in sends.
fn signed_in() -> Vec<SecurityRequirement> {
    ["token", "session"].map(|scheme| SecurityRequirement::new(scheme, Vec::<String>::new())).to_vec()
}

fn response_name(status: u16) -> String {
    format!("Problem{status}")
}

/// One shared response for each status, which names the codes that go with it, and one for the rest.
fn problems() -> BTreeMap<String, RefOr<openapi::Response>> {
    let mut codes: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for code in Code::ALL {
        codes.entry(code.status()).or_default().push(format!("`{code}`"));
    }
    let by_status = codes.into_iter().map(|(status, codes)| (response_name(status), codes.join(", ")));
    let rest = ("Problem".to_owned(), "What went wrong (RFC 9457)".to_owned());
    by_status.chain([rest]).map(|(name, text)| (name, RefOr::T(problem(&text)))).collect()
}

fn problem(description: &str) -> openapi::Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(PROBLEM))).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some("The same key and request again get the first answer; kept for a day"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).max_length(Some(200)).build()))
        .build()
}
