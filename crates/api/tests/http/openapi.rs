//! The OpenAPI document: complete, unambiguous, and true to the routes.

use std::collections::BTreeSet;

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
        let problem = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"];
        assert_eq!(problem, "#/components/schemas/ProblemBody", "{method} {path}");
        let keyed = operation["parameters"].as_array().into_iter().flatten().any(|it| it["name"] == "Idempotency-Key");
        assert_eq!(keyed, method != "get", "{method} {path}");
    }
    assert!(names.contains("people_create_token"), "{names:?}");
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
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect();
        let places = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let places: BTreeSet<_> = places.map(|place| place.trim_start_matches('*').to_owned()).collect();
        assert_eq!(described, places, "{method} {path}");
    }
}
