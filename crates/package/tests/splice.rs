#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! Archives made of parts of canonical ones.

use kontor_package::{ARCHIVE_END, Composer, Content, Limits, directory_start, listed, pack, with_file_behind};
use rstest::rstest;

fn content(files: &[(&str, &[u8])]) -> Content {
    let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
    Content::from_files(files, &Limits::default()).unwrap()
}

fn read(archive: &[u8], path: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let mut bytes = Vec::new();
    std::io::copy(&mut archive.by_name(path).unwrap(), &mut bytes).unwrap();
    bytes
}

#[rstest]
#[case::some_files(&[("SKILL.md", b"text".as_slice()), ("b/c", b"12345")])]
#[case::one_file(&[("SKILL.md", b"text".as_slice())])]
#[case::nothing(&[])]
fn one_more_file_follows_without_touching_the_others(#[case] files: &[(&str, &[u8])]) {
    let package = pack(&content(files));
    let last = package.bytes.len() - usize::try_from(ARCHIVE_END).unwrap();
    let start = directory_start(&package.bytes[last..]).unwrap();
    assert_eq!(start, package.files.iter().map(|file| file.offset + file.size).max().unwrap_or(0));
    let (before, end) = package.bytes.split_at(usize::try_from(start).unwrap());
    let behind = with_file_behind(end, start, "_note.json", b"{}").unwrap();
    let bytes = [before, &behind].concat();
    assert_eq!(zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap().len(), files.len() + 1);
    for (path, file) in files.iter().chain(&[("_note.json", b"{}".as_slice())]) {
        assert_eq!(read(&bytes, path), *file);
    }
}

#[test]
fn a_file_that_is_there_is_not_put_behind() {
    let package = pack(&content(&[("SKILL.md", b"text"), ("_note.json", b"mine")]));
    let start = directory_start(&package.bytes).unwrap();
    let end = &package.bytes[usize::try_from(start).unwrap()..];
    assert_eq!(with_file_behind(end, start, "_note.json", b"{}"), None);
}

#[rstest]
#[case::empty(b"")]
#[case::too_short(b"PK")]
#[case::another_record(&[7; 40])]
fn what_is_no_end_of_an_archive_takes_no_file(#[case] end: &[u8]) {
    assert_eq!(with_file_behind(end, 0, "a", b""), None);
    assert_eq!(directory_start(end), None);
    assert_eq!(listed(end), None);
}

#[test]
fn the_directory_lists_what_the_archive_holds() {
    let package = pack(&content(&[("SKILL.md", b"text"), ("b/c", b"12345"), ("empty", b"")]));
    let start = usize::try_from(directory_start(&package.bytes).unwrap()).unwrap();
    let files = listed(&package.bytes[start..]).unwrap();
    assert_eq!(files.len(), package.files.len());
    for (listed, entry) in files.iter().zip(&package.files) {
        assert_eq!(listed.path, entry.path);
        assert_eq!((listed.position, u64::from(listed.size)), (entry.offset, entry.size));
    }
}

#[test]
fn files_of_several_archives_make_a_new_one_under_other_names() {
    let packages = [pack(&content(&[("SKILL.md", b"one"), ("a", b"1")])), pack(&content(&[("SKILL.md", b"two")]))];
    let (mut composer, mut archive) = (Composer::default(), Vec::new());
    for (number, package) in packages.iter().enumerate() {
        let start = usize::try_from(directory_start(&package.bytes).unwrap()).unwrap();
        for file in listed(&package.bytes[start..]).unwrap() {
            let path = format!("{number}/{}", file.path);
            archive.extend(composer.file(&path, file.checksum, file.size).unwrap());
            let from = usize::try_from(file.position).unwrap();
            archive.extend_from_slice(&package.bytes[from..from + file.size as usize]);
        }
    }
    archive.extend(composer.whole("_note.json", b"{}").unwrap());
    assert_eq!((composer.size(), composer.files()), (archive.len() as u64, 4));
    archive.extend(composer.finish());
    assert_eq!(read(&archive, "0/SKILL.md"), b"one");
    assert_eq!(read(&archive, "0/a"), b"1");
    assert_eq!(read(&archive, "1/SKILL.md"), b"two");
    assert_eq!(read(&archive, "_note.json"), b"{}");
}

#[test]
fn an_archive_that_would_grow_too_large_takes_no_more() {
    let mut composer = Composer::default();
    assert!(composer.file("a", 0, u32::MAX - 1000).is_some());
    let before = composer.clone();
    assert!(composer.file("b", 0, 2000).is_none());
    assert_eq!((composer.size(), composer.files()), (before.size(), before.files()));
    assert!(composer.file("c", 0, 10).is_some());
}
