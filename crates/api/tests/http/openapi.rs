//! The OpenAPI document: complete, unambiguous, and true to the routes.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Request, StatusCode};
use kontor_testkit::{NATIVE, On, TestHub};
use kontor_types::{Code, PublisherKind, Role, Scope, Visibility};
use rstest::rstest;
use serde::Serialize;
use serde_json::Value;

fn document() -> Value {
    serde_json::to_value(kontor_api::openapi()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        let path = path.clone();
        item.into_iter().map(move |(method, operation)| (method, path.clone(), operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_says_how_it_fails() {
    let document = document();
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(names.insert(name.clone()), "{name} is the name of two operations");
        assert!(operation["summary"].is_string(), "{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        assert_eq!(responses["default"]["$ref"], "#/components/responses/Problem", "{method} {path}");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
        let keyed = operation["parameters"].as_array().into_iter().flatten().any(|it| it["name"] == "Idempotency-Key");
        assert_eq!(keyed, method != "get" && operation["security"].is_array(), "{method} {path}");
        let theme = |tag: &Value| document["tags"].as_array().unwrap().iter().any(|known| known["name"] == *tag);
        assert!(operation["tags"].as_array().unwrap().iter().all(theme), "{method} {path}");
    }
    assert!(names.contains("people_create_token"), "{names:?}");
    for (name, response) in document["components"]["responses"].as_object().unwrap() {
        let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
        assert_eq!(schema, "#/components/schemas/ProblemBody", "{name}");
    }
}

#[test]
fn the_document_and_the_route_table_name_the_same_routes() {
    let of_table: BTreeSet<_> = kontor_testkit::route_table()
        .into_iter()
        .filter(|route| route.path.starts_with(NATIVE))
        .map(|route| (route.path.replace("{*", "{"), route.method.to_lowercase()))
        .collect();
    let of_document: BTreeSet<_> =
        operations(&document()).into_iter().map(|(method, path, _)| (path, method)).collect();
    assert_eq!(of_document, of_table);
}

#[tokio::test]
async fn every_path_answers_exactly_the_methods_that_the_document_names() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let mut described: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (method, path, _) in operations(&document()) {
        described.entry(path).or_default().insert(method.to_uppercase());
    }
    for (path, methods) in described {
        let place = |part: &str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
        let target = path.split('/').map(place).collect::<Vec<_>>().join("/");
        let answer = hub.send(Request::builder().method("TRACE").uri(&target), "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path} is no route: {}", answer.body);
        let allowed = answer.header("allow").split(',').filter(|method| *method != "HEAD").map(str::to_owned);
        assert_eq!(allowed.collect::<BTreeSet<_>>(), methods, "{path}");
    }
}

#[tokio::test]
async fn the_hub_serves_the_document() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let path = format!("{NATIVE}/openapi.json");
    let answer = hub.get(&path, None).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(answer.json(), document());
    let again = hub.send(Request::get(&path).header("if-none-match", answer.header("etag")), "").await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
}

#[rstest]
#[case::codes("Code", Code::ALL)]
#[case::visibilities("Visibility", Visibility::ALL)]
#[case::kinds_of_publisher("PublisherKind", PublisherKind::ALL)]
#[case::roles("Role", Role::ALL)]
#[case::scopes("Scope", Scope::ALL)]
fn a_closed_list_names_the_words_that_are_sent<T: Serialize>(#[case] name: &str, #[case] all: &[T]) {
    let words = &document()["components"]["schemas"][name]["enum"];
    assert_eq!(*words, serde_json::to_value(all).unwrap());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut missing = BTreeSet::new();
    follow(&document, &document, &mut missing);
    assert!(missing.is_empty(), "{missing:?}");
}

fn follow(document: &Value, value: &Value, missing: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str)
                && document.pointer(reference.trim_start_matches('#')).is_none()
            {
                missing.insert(reference.to_owned());
            }
            map.values().for_each(|inner| follow(document, inner, missing));
        }
        Value::Array(items) => items.iter().for_each(|inner| follow(document, inner, missing)),
        _ => {}
    }
}

#[test]
fn every_place_in_a_path_is_described() {
    for (method, path, operation) in operations(&document()) {
        let described: BTreeSet<_> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|it| it["in"] == "path")
            .inspect(|it| assert!(it["description"].is_string(), "{method} {path}: {it}"))
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect();
        let places = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let places: BTreeSet<_> = places.map(str::to_owned).collect();
        assert_eq!(described, places, "{method} {path}");
    }
}
