//! Digests, moments, cursors, viewers and problem codes.

use std::collections::BTreeSet;
use std::time::Duration;

use kontor_types::{Code, Cursor, Digest, PersonId, PublisherId, Role, Timestamp, Viewer, Visibility};
use rstest::rstest;

const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn a_digest_is_sha_256_with_its_name() {
    // The test vector of FIPS 180-4 for "abc".
    assert_eq!(Digest::of(b"abc").to_string(), ABC);
    assert_eq!(ABC.parse::<Digest>().unwrap(), Digest::of(b"abc"));
    assert_eq!(Digest::of(b"abc").short(8), "ba7816bf");
}

#[rstest]
#[case::no_name(&ABC[7..])]
#[case::upper(&format!("sha256:{}", ABC[7..].to_uppercase()))]
#[case::short("sha256:ba78")]
#[case::other("sha512:ba78")]
fn other_texts_are_no_digest(#[case] text: &str) {
    assert!(text.parse::<Digest>().is_err());
}

#[test]
fn moments_read_as_rfc_3339() {
    let moment: Timestamp = "2026-11-22T10:20:30.000001Z".parse().unwrap();
    assert_eq!(moment.to_string(), "2026-11-22T10:20:30.000001Z");
    assert_eq!(moment.day().to_string(), "2026-11-22");
    assert_eq!(moment.after(Duration::from_secs(1)).since(moment), Duration::from_secs(1));
    assert_eq!(moment.since(moment.after(Duration::from_secs(1))), Duration::ZERO);
    assert_eq!(Timestamp::from_micros(-1).day().number(), -1);
}

#[test]
fn a_cursor_gives_its_keys_back_and_refuses_others() {
    let cursor = Cursor::of(&[&42, &"pdf-tools"]);
    assert_eq!(cursor.keys::<2>(), Some(["42".to_owned(), "pdf-tools".to_owned()]));
    assert_eq!(cursor.keys::<3>(), None);
    assert_eq!("zz".parse::<Cursor>().unwrap().keys::<1>(), None);
}

#[rstest]
#[case::stranger(None, [true, true, false, false], [true, false, false, false])]
#[case::member(Some(Role::Member), [true, true, true, false], [true, true, true, false])]
#[case::maintainer(Some(Role::Maintainer), [true, true, true, true], [true, true, true, true])]
fn a_viewer_opens_and_lists_what_the_role_allows(
    #[case] role: Option<Role>,
    #[case] opens: [bool; 4],
    #[case] lists: [bool; 4],
) {
    let (now, publisher) = (Timestamp::from_micros(1), PublisherId::new(Timestamp::from_micros(1)));
    let viewer = Viewer::person(PersonId::new(now), role.map(|role| (publisher, role)).into_iter().collect());
    let all = |may: &dyn Fn(Visibility) -> bool| {
        [Visibility::Public, Visibility::Unlisted, Visibility::Organisation, Visibility::Private].map(may)
    };
    assert_eq!(all(&|visibility| viewer.may_open(publisher, visibility)), opens);
    assert_eq!(all(&|visibility| viewer.may_list(publisher, visibility)), lists);
}

#[test]
fn every_code_has_its_own_name_and_an_error_status() {
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    assert!(Code::ALL.iter().all(|code| (400..600).contains(&code.status()) && !code.title().ends_with('.')));
}
