#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! The canonical form: golden bytes, round trips, and what is refused.

use kontor_package::{Content, Error, Limits, pack};
use kontor_types::Digest;
use proptest::prelude::*;
use rstest::rstest;

fn content(files: &[(&str, &[u8])]) -> Content {
    let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
    Content::from_files(files, &Limits::default()).unwrap()
}

/// The digests were computed by a writer in another language from the description in `canonical.rs`.
#[rstest]
#[case::nothing(&[], "sha256:8739c76e681f900923b900c9df0ef75cf421d39cabb54650c4b9ad19b6a76d85")]
#[case::one_file(
    &[("SKILL.md", b"---\nname: a\ndescription: b\n---\n".as_slice())],
    "sha256:a3fb32ab6927fe66f868dad7c079f78e7941001b744cb1cdd2b1d1633cc7048c"
)]
#[case::several_files_of_odd_names(
    &[
        ("scripts/run.py", b"print(1)\n".as_slice()),
        ("SKILL.md", b"\xEF\xBB\xBFtext\r\n"),
        ("assets/\u{56fe}.svg", b"<svg/>"),
        ("a b", b""),
        (".hidden", b"\0\x01\x02"),
    ],
    "sha256:5f4f6a6ca5f361e3ca4c339c2572fae0e15565c93a5d5e047284e82b4be388d5"
)]
fn equal_files_have_the_golden_digest(#[case] files: &[(&str, &[u8])], #[case] digest: &str) {
    let package = pack(&content(files));
    assert_eq!(package.digest.to_string(), digest);
    assert_eq!(Digest::of(&package.bytes), package.digest);
}

#[test]
fn every_entry_points_at_the_files_raw_bytes() {
    let content = content(&[("SKILL.md", b"text"), ("b/c", b"12345"), ("empty", b"")]);
    let package = pack(&content);
    assert_eq!(package.files.len(), 3);
    for entry in &package.files {
        let start = usize::try_from(entry.offset).unwrap();
        let bytes = &package.bytes[start..start + usize::try_from(entry.size).unwrap()];
        assert_eq!(Some(bytes), content.get(&entry.path));
        assert_eq!(Digest::of(bytes), entry.digest);
    }
}

#[test]
fn other_zip_readers_read_it() {
    let package = pack(&content(&[("SKILL.md", b"text"), ("\u{e9}/x", b"12345")]));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(package.bytes)).unwrap();
    let mut file = archive.by_name("\u{e9}/x").unwrap();
    assert_eq!(file.unix_mode(), Some(0o100_644));
    assert_eq!(std::io::read_to_string(&mut file).unwrap(), "12345");
}

#[test]
fn anything_but_the_canonical_bytes_is_refused() {
    let bytes = pack(&content(&[("SKILL.md", b"text"), ("b", b"12345")])).bytes;
    assert!(Content::from_canonical(&bytes, &Limits::default()).is_ok());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x20;
        assert!(Content::from_canonical(&changed, &Limits::default()).is_err(), "byte {at} can differ");
    }
    for changed in [&bytes[..bytes.len() - 1], &[bytes.as_slice(), b"x"].concat(), b""] {
        assert!(matches!(Content::from_canonical(changed, &Limits::default()), Err(Error::NotCanonical { .. })));
    }
}

fn names() -> impl Strategy<Value = String> {
    let name = prop_oneof!["[a-zA-Z0-9._ -]{1,12}", "\\PC{1,6}", Just("SKILL.md".to_owned())];
    prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"))
}

proptest! {
    #[test]
    fn unpacking_what_was_packed_gives_the_same(
        files in prop::collection::vec((names(), prop::collection::vec(any::<u8>(), 0..200)), 0..12),
    ) {
        let Ok(content) = Content::from_files(files, &Limits::default()) else { return Ok(()) };
        let package = pack(&content);
        let again = Content::from_canonical(&package.bytes, &Limits::default()).unwrap();
        prop_assert!(again.files().eq(content.files()));
        prop_assert_eq!(pack(&again), package);
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Content::from_canonical(&bytes, &Limits::default());
        let _ = Content::from_canonical(&[b"PK\x03\x04".as_slice(), &bytes].concat(), &Limits::default());
    }
}
