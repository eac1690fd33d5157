//! Where blobs may lie, as people write it.

use std::path::PathBuf;

use kontor_blob::Location;
use rstest::rstest;

fn bucket(name: &str, prefix: &str, endpoint: Option<&str>, region: Option<&str>) -> Location {
    Location::Bucket {
        name: name.to_owned(),
        prefix: prefix.to_owned(),
        endpoint: endpoint.and_then(|endpoint| endpoint.parse().ok()),
        region: region.map(str::to_owned),
    }
}

#[rstest]
#[case::relative("data/blobs", Location::Folder(PathBuf::from("data/blobs")))]
#[case::absolute("/srv/blobs", Location::Folder(PathBuf::from("/srv/blobs")))]
#[case::file("file:///srv/my%20blobs", Location::Folder(PathBuf::from("/srv/my blobs")))]
#[case::bare("s3://skills", bucket("skills", "", None, None))]
#[case::full(
    "s3://skills/hub/one/?endpoint=http://127.0.0.1:9000&region=eu-central-1",
    bucket("skills", "hub/one", Some("http://127.0.0.1:9000"), Some("eu-central-1"))
)]
fn a_location_is_understood(#[case] text: &str, #[case] expected: Location) {
    assert_eq!(text.parse::<Location>().ok(), Some(expected));
}

#[rstest]
#[case::empty("")]
#[case::scheme("ftp://host/path")]
#[case::no_bucket("s3://")]
#[case::credentials("s3://key:secret@skills")]
#[case::setting("s3://skills?endpiont=http://127.0.0.1")]
#[case::endpoint("s3://skills?endpoint=127.0.0.1")]
#[case::endpoint_scheme("s3://skills?endpoint=file:///tmp")]
fn a_wrong_location_is_refused_with_a_reason(#[case] text: &str) {
    let message = text.parse::<Location>().err().map(|error| error.to_string());
    assert!(message.is_some_and(|message| message.contains("is no place for blobs")));
}

#[test]
fn a_refusal_does_not_repeat_settings() {
    let error = "s3://skills?secret=hunter2".parse::<Location>().err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| !error.contains("hunter2")));
}
