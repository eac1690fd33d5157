#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! Archives as they are, and the attacks A1–A11 on their readers. Every sample is built here.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::mem::discriminant;
use std::path::Path;

use kontor_package::{
    ArchiveKind, ArchiveLimits, Content, Discovery, DiscoveryLimits, Error, Limits, Unpacked, discover, pack,
    unpack_held, unpack_tree,
};
use rstest::rstest;

use forged::{Tar, raw_zip, zip_of};

mod forged;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn single(bytes: &[u8]) -> Result<Content, Error> {
    Content::from_archive(bytes, &Limits::default())
}

fn paths(content: &Content) -> Vec<String> {
    content.files().map(|(path, _)| path.to_owned()).collect()
}

/// Unpacks into a folder inside another one and proves that nothing was written beside it.
fn tree(bytes: &[u8], limits: &ArchiveLimits) -> (Result<Unpacked, Error>, Vec<String>) {
    let outer = tempfile::tempdir().unwrap();
    let target = outer.path().join("target");
    let result = unpack_tree(Cursor::new(bytes), &target, limits);
    let beside: Vec<_> = fs::read_dir(outer.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["target"]);
    let mut written = Vec::new();
    list(&target, "", &mut written);
    written.sort();
    let held = unpack_held(Cursor::new(bytes), limits, 64 << 20);
    match (&result, &held) {
        (Ok(unpacked), Ok(Some((held, same)))) => {
            assert_eq!(unpacked, same);
            assert_eq!(skills(&held.discover()), skills(&discover(&target, &DiscoveryLimits::default()).unwrap()));
            let from_folder = Content::from_directory(&target, &Limits::default());
            assert_eq!(held.content("", &Limits::default()).ok(), from_folder.ok());
        }
        (Err(refusal), Err(same)) => assert_eq!(discriminant(refusal), discriminant(same), "{refusal} / {same}"),
        other => unreachable!("a folder and memory do not agree: {other:?}"),
    }
    (result, written)
}

fn skills(discovery: &Discovery) -> Vec<&str> {
    discovery.skills.iter().map(|skill| skill.path.as_str()).collect()
}

fn list(folder: &Path, prefix: &str, written: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().into_string().unwrap());
        let kind = entry.file_type().unwrap();
        assert!(kind.is_file() || kind.is_dir(), "{path} is a link or a device");
        if kind.is_dir() {
            list(&entry.path(), &format!("{path}/"), written);
        } else {
            written.push(path);
        }
    }
}

fn refused_everywhere(archive: &[u8]) -> (Error, Error) {
    let (result, written) = tree(archive, &ArchiveLimits::default());
    assert!(written.iter().all(|path| path == "SKILL.md"), "{written:?}");
    (single(archive).unwrap_err(), result.unwrap_err())
}

fn tar_and_zip(name: &str) -> [Vec<u8>; 2] {
    [
        Tar::default().file("SKILL.md", b"x").file(name, b"evil").end(),
        raw_zip(&[(b"SKILL.md", 0o100_644, b"x"), (name.as_bytes(), 0o100_644, b"evil")]),
    ]
}

#[rstest]
#[case::zip(zip_of(&[("SKILL.md", b"text"), ("a/b", b"12345")]), ArchiveKind::Zip)]
#[case::tar(Tar::default().file("SKILL.md", b"text").file("a/b", b"12345").end(), ArchiveKind::Tar)]
#[case::tar_gz(gzip(&Tar::default().file("SKILL.md", b"text").file("a/b", b"12345").end()), ArchiveKind::TarGz)]
#[case::tar_zst(
    zstd::encode_all(&*Tar::default().file("SKILL.md", b"text").file("a/b", b"12345").end(), 3).unwrap(),
    ArchiveKind::TarZst
)]
#[case::wrapped_in_a_folder(zip_of(&[("skill/SKILL.md", b"text"), ("skill/a/b", b"12345")]), ArchiveKind::Zip)]
#[case::dots_before_names(Tar::default().file("./SKILL.md", b"text").file("./a/b", b"12345").end(), ArchiveKind::Tar)]
#[case::from_macos(
    zip_of(&[("skill/SKILL.md", b"text"), ("__MACOSX/skill/._SKILL.md", b"x"), ("skill/a/b", b"12345")]),
    ArchiveKind::Zip
)]
fn every_kind_of_archive_gives_the_same_content(#[case] archive: Vec<u8>, #[case] kind: ArchiveKind) {
    assert_eq!(ArchiveKind::detect(&archive), Some(kind));
    let content = single(&archive).unwrap();
    assert_eq!(paths(&content), ["SKILL.md", "a/b"]);
    assert_eq!(content.get("a/b"), Some(b"12345".as_slice()));
    let (result, written) = tree(&archive, &ArchiveLimits::default());
    let unpacked = result.unwrap();
    assert_eq!(unpacked.findings, []);
    assert_eq!(unpacked.files, written.len() as u64);
}

#[test]
fn our_own_packages_are_archives_too() {
    let package = pack(&single(&zip_of(&[("SKILL.md", b"text"), ("a", b"")])).unwrap());
    assert_eq!(pack(&single(&package.bytes).unwrap()), package);
}

#[test]
fn long_names_come_in_all_three_ways() {
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(130));
    let pax = format!("path={long}\n");
    let record = format!("{} {pax}", pax.len() + 4);
    let prefix_split = {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_path(format!("{}/{}", "d".repeat(120), "f".repeat(90))).unwrap();
        header.set_size(1);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, b"x".as_slice()).unwrap();
        builder.into_inner().unwrap()
    };
    let gnu =
        Tar::default().raw(b"././@LongLink", b'L', 0, "", format!("{long}\0").as_bytes()).file("short", b"x").end();
    let pax = Tar::default().raw(b"PaxHeaders/x", b'x', 0, "", record.as_bytes()).file("short", b"x").end();
    assert_eq!(tree(&gnu, &ArchiveLimits::default()).1, std::slice::from_ref(&long));
    assert_eq!(tree(&pax, &ArchiveLimits::default()).1, [long]);
    assert_eq!(tree(&prefix_split, &ArchiveLimits::default()).1[0].len(), 211);
}

#[rstest]
#[case::a1_parent("../evil")]
#[case::a1_parent_inside("a/../../evil")]
#[case::a2_absolute("/tmp/evil")]
#[case::a2_drive("C:/evil")]
#[case::a2_drive_backslash("C:\\evil")]
#[case::a2_share("\\\\host\\share\\evil")]
#[case::a1_backslash_parent("..\\evil")]
#[case::control_character("ev\u{1b}[2Jil")]
fn a1_a2_a_path_that_leaves_the_folder_refuses_the_archive(#[case] name: &str) {
    for archive in tar_and_zip(name) {
        let (for_skill, for_tree) = refused_everywhere(&archive);
        assert!(matches!(for_skill, Error::Path { .. }), "{for_skill:?}");
        assert!(matches!(for_tree, Error::Path { .. }), "{for_tree:?}");
        assert!(!for_skill.finding().message.contains('\u{1b}'));
    }
}

#[test]
fn a_name_that_is_not_utf8_refuses_the_archive() {
    let archive = Tar::default().raw(b"bad\xFF", b'0', 0o644, "", b"").end();
    assert!(matches!(refused_everywhere(&archive).0, Error::Path { .. }));
}

#[rstest]
#[case::a3_symbolic_link(Tar::default().file("SKILL.md", b"x").raw(b"link", b'2', 0o777, "/etc/passwd", b"").end(), "symbolic link")]
#[case::a3_symbolic_link_in_zip(
    raw_zip(&[(b"SKILL.md", 0o100_644, b"x"), (b"link", 0o120_777, b"/etc/passwd")]),
    "symbolic link"
)]
#[case::a5_hard_link(Tar::default().file("SKILL.md", b"x").raw(b"link", b'1', 0o644, "/etc/passwd", b"").end(), "hard link")]
#[case::a6_character_device(Tar::default().file("SKILL.md", b"x").raw(b"null", b'3', 0o666, "", b"").end(), "device")]
#[case::a6_block_device(Tar::default().file("SKILL.md", b"x").raw(b"disk", b'4', 0o666, "", b"").end(), "device")]
#[case::a6_pipe(Tar::default().file("SKILL.md", b"x").raw(b"pipe", b'6', 0o666, "", b"").end(), "pipe")]
#[case::a6_socket_in_zip(raw_zip(&[(b"SKILL.md", 0o100_644, b"x"), (b"socket", 0o140_666, b"")]), "socket")]
#[case::a6_device_in_zip(raw_zip(&[(b"SKILL.md", 0o100_644, b"x"), (b"tty", 0o020_666, b"")]), "device")]
fn a3_a5_a6_what_is_no_file_refuses_a_skill_and_is_left_out_of_a_tree(
    #[case] archive: Vec<u8>,
    #[case] expected: &str,
) {
    assert!(matches!(single(&archive).unwrap_err(), Error::NotAFile { kind, .. } if kind == expected));
    let (result, written) = tree(&archive, &ArchiveLimits::default());
    assert_eq!(written, ["SKILL.md"]);
    assert_eq!(result.unwrap().findings[0].message, format!("left out: it is a {expected}"));
}

#[test]
fn a4_writing_through_a_link_refuses_the_archive() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().to_str().unwrap();
    let in_tar = Tar::default().raw(b"dir", b'2', 0o777, target, b"").file("dir/evil", b"evil").end();
    let in_zip = raw_zip(&[(b"dir", 0o120_777, target.as_bytes()), (b"dir/evil", 0o100_644, b"evil")]);
    let over_link = Tar::default().raw(b"file", b'2', 0o777, target, b"").file("file", b"evil").end();
    for archive in [in_tar, in_zip, over_link] {
        let (result, written) = tree(&archive, &ArchiveLimits::default());
        assert!(matches!(result.unwrap_err(), Error::BehindLink { .. }));
        assert_eq!(written, [""; 0]);
        assert!(single(&archive).is_err());
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[rstest]
#[case::tar(Tar::default().raw(b"SKILL.md", b'0', 0o6755, "", b"x").end())]
#[case::zip(raw_zip(&[(b"SKILL.md", 0o104_755, b"x")]))]
fn a7_special_permission_bits_are_dropped_and_reported(#[case] archive: Vec<u8>) {
    let content = single(&archive).unwrap();
    assert_eq!(content.left_out()[0].finding().unwrap().code, "special_bits_dropped");
    let outer = tempfile::tempdir().unwrap();
    let unpacked = unpack_tree(Cursor::new(&archive), &outer.path().join("t"), &ArchiveLimits::default()).unwrap();
    assert_eq!(unpacked.findings[0].code, "special_bits_dropped");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(outer.path().join("t/SKILL.md")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7133, 0);
    }
}

#[test]
fn a8_a_bomb_is_stopped_by_the_bytes_that_come_out() {
    let zeros = vec![0; 30 << 20];
    let in_zip = zip_of(&[("SKILL.md", b"x"), ("bomb", &zeros)]);
    let in_tar = gzip(&Tar::default().file("SKILL.md", b"x").file("bomb", &zeros).end());
    let in_zst = zstd::encode_all(&*Tar::default().file("SKILL.md", b"x").file("bomb", &zeros).end(), 3).unwrap();
    for archive in [in_zip, in_tar, in_zst] {
        assert!(archive.len() * 500 < zeros.len());
        assert!(matches!(single(&archive).unwrap_err(), Error::FileTooLarge { limit: 10_485_760, .. }));
        let limits = ArchiveLimits { total_bytes: 1 << 20, ..ArchiveLimits::default() };
        let (result, _) = tree(&archive, &limits);
        assert!(matches!(result.unwrap_err(), Error::TooLarge { limit: 1_048_576 }));
    }
}

#[test]
fn a8_a_zip_that_states_a_small_size_is_found_out() {
    let mut archive = zip_of(&[("SKILL.md", &vec![b'a'; 100_000])]);
    let size = 100_000_u32.to_le_bytes();
    let places: Vec<_> = (0..archive.len() - 4).filter(|at| archive[*at..*at + 4] == size).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        archive[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
    }
    let message = single(&archive).unwrap_err().to_string();
    assert!(message.contains("another size than stated"), "{message}");
}

#[test]
fn a8_many_files_pass_the_limit_of_the_whole() {
    let limits = Limits { file_bytes: 1_000, skill_bytes: 2_500, files: 100 };
    let archive = zip_of(&[("a", &[0; 1_000]), ("b", &[0; 1_000]), ("c", &[0; 1_000])]);
    assert!(matches!(Content::from_archive(&archive, &limits).unwrap_err(), Error::TooLarge { limit: 2_500 }));
}

#[test]
fn a9_archives_inside_archives_stay_files() {
    let mut archive = zip_of(&[("SKILL.md", b"deepest")]);
    for depth in 0..10 {
        let name = format!("inner-{depth}.zip");
        archive = zip_of(&[("SKILL.md", b"x"), (&name, &archive)]);
    }
    assert_eq!(paths(&single(&archive).unwrap()), ["SKILL.md", "inner-9.zip"]);
    assert_eq!(tree(&archive, &ArchiveLimits::default()).1, ["SKILL.md", "inner-9.zip"]);
}

#[test]
fn a10_many_entries_are_stopped() {
    let names: Vec<String> = (0..4_000).map(|number| format!("f{number}")).collect();
    let in_zip = zip_of(&names.iter().map(|name| (name.as_str(), b"".as_slice())).collect::<Vec<_>>());
    let in_tar = names.iter().fold(Tar::default(), |tar, name| tar.file(name, b"")).end();
    let folders = (0..100_000).fold(Tar::default(), |tar, _| tar.raw(b"d/", b'5', 0o755, "", b"")).end();
    for archive in [&in_zip, &in_tar, &folders] {
        assert!(matches!(single(archive).unwrap_err(), Error::TooManyFiles { .. }));
        let limits = ArchiveLimits { entries: 1_000, ..ArchiveLimits::default() };
        assert!(matches!(tree(archive, &limits).0.unwrap_err(), Error::TooManyFiles { limit: 1_000 }));
    }
}

/// A zip, and where in it the directory and the end record start.
fn zip_and_places() -> (Vec<u8>, usize, usize) {
    let archive = raw_zip(&[(b"SKILL.md", 0o100_644, b"good"), (b"other.md", 0o100_644, b"text")]);
    let place = |signature: &[u8]| archive.windows(4).position(|four| four == signature).unwrap();
    let (directory, end) = (place(b"PK\x01\x02"), place(b"PK\x05\x06"));
    (archive, directory, end)
}

#[test]
fn a11_a_zip_that_says_two_things_is_refused() {
    let (good, directory, end) = zip_and_places();
    assert!(single(&good).is_ok());
    let changed = |at: usize, bytes: &[u8]| {
        let mut archive = good.clone();
        archive[at..at + bytes.len()].copy_from_slice(bytes);
        archive
    };
    let inserted = |at: usize, bytes: &[u8]| [&good[..at], bytes, &good[at..]].concat();
    let evil = raw_zip(&[(b"SKILL.md", 0o100_644, b"evil")]);
    let with_comment = |comment: &[u8]| {
        let mut archive = good.clone();
        let length = archive.len();
        archive[length - 2..].copy_from_slice(&u16::try_from(comment.len()).unwrap().to_le_bytes());
        [archive, comment.to_vec()].concat()
    };
    assert!(single(&with_comment(b"0123456789abcdef")).is_ok());
    let samples = [
        ("local name", changed(30, b"EVIL.md!")),
        ("local size", changed(22, &[3, 0, 0, 0])),
        ("local checksum", changed(14, &[1, 2, 3, 4])),
        ("local method", changed(8, &[8, 0])),
        ("content", changed(38, b"evil")),
        ("central size", changed(directory + 20, &[3, 0, 0, 0, 3, 0, 0, 0])),
        ("entry count", changed(end + 8, &[1, 0, 1, 0])),
        ("data behind the end", [good.as_slice(), b"evil"].concat()),
        ("an archive behind the end", [good.as_slice(), &evil].concat()),
        ("an archive before the start", [evil.as_slice(), &good].concat()),
        ("an archive in the comment", with_comment(&evil)),
        ("bytes before the start", inserted(0, b"evil")),
        ("bytes before the directory", inserted(directory, b"evil evil evil")),
        ("bytes behind the directory", inserted(end, b"evil")),
        ("cut short", good[..good.len() - 1].to_vec()),
        ("both entries at one place", changed(directory + 46 + 8 + 42, &[0, 0, 0, 0])),
        ("encrypted", changed(directory + 8, &[1, 8])),
    ];
    for (what, archive) in samples {
        let refusal = single(&archive).map(|content| paths(&content)).unwrap_err();
        assert!(matches!(refusal, Error::Archive { .. } | Error::UnknownArchive), "{what}: {refusal:?}");
        let (result, written) = tree(&archive, &ArchiveLimits::default());
        assert!(result.is_err() && written.len() <= 2, "{what}");
    }
}

#[test]
fn a11_data_behind_the_end_of_a_tar_is_refused() {
    let first = Tar::default().file("SKILL.md", b"x").end();
    let second = Tar::default().file("evil", b"x").end();
    assert!(single(&[first.as_slice(), &[0; 8_192]].concat()).is_ok());
    for archive in [[first.clone(), second.clone()].concat(), gzip(&[first, second].concat())] {
        let message = single(&archive).unwrap_err().to_string();
        assert!(message.contains("data follows behind its end"), "{message}");
    }
}

#[test]
fn a_damaged_or_cut_archive_is_refused_at_every_place() {
    let files: &[(&str, &[u8])] = &[("SKILL.md", b"text text text"), ("a/b", b"12345")];
    let tar = files.iter().fold(Tar::default(), |tar, (name, bytes)| tar.file(name, bytes)).end();
    for archive in [zip_of(files), gzip(&tar)] {
        for length in 0..archive.len() {
            assert!(single(&archive[..length]).is_err(), "cut at {length}");
        }
    }
    for length in (1..tar.len() - 1_024).filter(|length| length % 512 != 0) {
        assert!(single(&tar[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn the_same_name_twice_is_refused() {
    let zipped = raw_zip(&[(b"SKILL.md", 0o100_644, b"1"), (b"SKILL.md", 0o100_644, b"2")]);
    let tarred = Tar::default().file("SKILL.md", b"1").file("SKILL.md", b"2").end();
    let clash = Tar::default().file("SKILL.md", b"1").file("SKILL.md/x", b"2").end();
    for archive in [zipped, tarred] {
        assert!(matches!(single(&archive).unwrap_err(), Error::Duplicate { .. }));
        assert!(matches!(tree(&archive, &ArchiveLimits::default()).0.unwrap_err(), Error::Duplicate { .. }));
    }
    assert!(matches!(single(&clash).unwrap_err(), Error::FileAndFolder { .. }));
    assert!(matches!(tree(&clash, &ArchiveLimits::default()).0.unwrap_err(), Error::FileAndFolder { .. }));
}

#[test]
fn a_tree_is_only_unpacked_into_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine"), "x").unwrap();
    let archive = zip_of(&[("mine", b"evil")]);
    let refusal = unpack_tree(Cursor::new(archive), folder.path(), &ArchiveLimits::default()).unwrap_err();
    assert!(matches!(refusal, Error::TargetNotEmpty { .. }));
    assert_eq!(fs::read_to_string(folder.path().join("mine")).unwrap(), "x");
}

#[test]
fn what_never_belongs_to_a_skill_is_not_written() {
    let archive =
        zip_of(&[("a/SKILL.md", b"x"), ("a/.git/config", b"x"), ("node_modules/x", b"x"), (".claude/x", b"x")]);
    assert_eq!(tree(&archive, &ArchiveLimits::default()).1, [".claude/x", "a/SKILL.md"]);
}

#[test]
fn a_streamed_zip_with_sizes_behind_its_entries_is_read() {
    // Written by a standard tool to a pipe: flag bit 3, sizes zero in the local header, a data descriptor behind.
    let mut sum = flate2::Crc::new();
    sum.update(b"text");
    let descriptor = [b"PK\x07\x08".to_vec(), sum.sum().to_le_bytes().to_vec(), vec![4, 0, 0, 0, 4, 0, 0, 0]].concat();
    let mut local = b"PK\x03\x04\x14\0\x08\0\0\0\0\0\x21\0".to_vec();
    local.extend([0; 12]);
    local.extend([8, 0, 0, 0]);
    local.extend(b"SKILL.mdtext");
    local.extend(&descriptor);
    let mut directory = b"PK\x01\x02\x14\x03\x14\0\x08\0\0\0\0\0\x21\0".to_vec();
    directory.extend([sum.sum().to_le_bytes(), [4, 0, 0, 0], [4, 0, 0, 0], [8, 0, 0, 0]].concat());
    directory.extend([0; 14]);
    directory.extend(b"SKILL.md");
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    end.extend(u32::try_from(local.len()).unwrap().to_le_bytes());
    end.extend([0, 0]);
    let content = single(&[local, directory, end].concat()).unwrap();
    assert_eq!(content.get("SKILL.md"), Some(b"text".as_slice()));
}

#[test]
fn an_archive_is_read_from_its_reader_as_it_comes() {
    struct Slow(Cursor<Vec<u8>>);
    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = buffer.len().min(7);
            self.0.read(&mut buffer[..length])
        }
    }
    impl std::io::Seek for Slow {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, archive) in [
        ("zip", zip_of(&[("SKILL.md", &[b'x'; 1_000])])),
        ("tar", Tar::default().file("SKILL.md", &[b'x'; 1_000]).end()),
    ] {
        let target = folder.path().join(name);
        unpack_tree(Slow(Cursor::new(archive)), &target, &ArchiveLimits::default()).unwrap();
        assert_eq!(fs::metadata(target.join("SKILL.md")).unwrap().len(), 1_000);
    }
}

#[test]
fn a_small_tree_in_memory_is_what_a_folder_would_be() {
    let archive = Tar::default()
        .file("package/skills/pdf/SKILL.md", b"one")
        .file("package/skills/pdf/.gitignore", b"*.log\n")
        .file("package/skills/pdf/big.log", b"left out")
        .file("package/skills/pdf/inner/SKILL.md", b"two")
        .file("package/skills/pdf-2/SKILL.md", b"three")
        .end();
    let (held, _) = unpack_held(Cursor::new(&archive), &ArchiveLimits::default(), 1 << 20).unwrap().unwrap();
    let held = held.unwrapped().unwrapped();
    assert_eq!(skills(&held.discover()), ["pdf", "pdf-2", "pdf/inner"]);
    assert_eq!(paths(&held.content("pdf", &Limits::default()).unwrap()), [".gitignore", "SKILL.md", "inner/SKILL.md"]);
    assert_eq!(held.size("pdf"), 3 + 6 + 8 + 3);
    assert_eq!(held.content("pdf-2", &Limits::default()).unwrap().get("SKILL.md"), Some(b"three".as_slice()));
}

#[test]
fn a_tree_that_takes_more_memory_than_allowed_or_lies_too_deep_is_not_held() {
    let large = Tar::default().file("SKILL.md", &[b'x'; 4_096]).end();
    let many = (0..100).fold(Tar::default(), |tar, number| tar.file(&format!("{number}"), b"")).end();
    let deep = zip_of(&[(&format!("{}SKILL.md", "a/".repeat(65)), b"x")]);
    for (archive, most) in [(large, 4_096), (many, 4_096), (deep, 1 << 20)] {
        assert!(unpack_held(Cursor::new(&archive), &ArchiveLimits::default(), most).unwrap().is_none());
    }
}
