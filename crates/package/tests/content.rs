#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! What becomes content, what is left out, and what is refused, from folders and from files in memory.

use std::fs;

use kontor_package::{Content, DiscoveryLimits, Error, Limits, PathRule, discover, discover_paths, pack};
use rstest::rstest;

fn from_files(files: &[(&str, &str)]) -> Result<Content, Error> {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    Content::from_files(files, &Limits::default())
}

fn paths(content: &Content) -> Vec<&str> {
    content.files().map(|(path, _)| path).collect()
}

fn write_tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let place = folder.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    folder
}

#[rstest]
#[case::empty("", PathRule::Empty)]
#[case::parent("../x", PathRule::Dots)]
#[case::parent_inside("a/../x", PathRule::Dots)]
#[case::current("./x", PathRule::Dots)]
#[case::empty_name("a//x", PathRule::Dots)]
#[case::trailing_separator("a/", PathRule::Dots)]
#[case::absolute("/etc/passwd", PathRule::Absolute)]
#[case::drive("C:/x", PathRule::Absolute)]
#[case::drive_relative("c:x", PathRule::Absolute)]
#[case::network_share("\\\\host\\x", PathRule::Absolute)]
#[case::backslash("a\\x", PathRule::Backslash)]
#[case::nul("a\0x", PathRule::Control)]
#[case::line_feed("a\nx", PathRule::Control)]
#[case::c1_control("a\u{85}x", PathRule::Control)]
fn an_unsafe_path_is_refused(#[case] path: &str, #[case] expected: PathRule) {
    let refusal = from_files(&[("SKILL.md", ""), (path, "")]).unwrap_err();
    assert!(matches!(refusal, Error::Path { rule, .. } if rule == expected), "{refusal:?}");
}

#[test]
fn a_path_longer_than_file_systems_carry_is_refused() {
    let long_name = "n".repeat(256);
    let long_path = vec!["n".repeat(200); 6].join("/");
    for path in [long_name.as_str(), long_path.as_str()] {
        assert!(matches!(from_files(&[(path, "")]), Err(Error::Path { rule: PathRule::TooLong, .. })));
    }
}

#[test]
fn a_path_twice_or_as_file_and_folder_is_refused() {
    assert!(matches!(from_files(&[("a", "1"), ("a", "2")]), Err(Error::Duplicate { .. })));
    assert!(matches!(from_files(&[("a", "1"), ("a/b", "2")]), Err(Error::FileAndFolder { .. })));
    assert!(from_files(&[("a", "1"), ("a.b", "2"), ("a!/b", "3")]).is_ok());
}

#[test]
fn limits_are_met_exactly_and_not_passed() {
    let limits = Limits { file_bytes: 4, skill_bytes: 6, files: 2 };
    let read = |files: &[(&str, &str)]| {
        Content::from_files(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())), &limits)
    };
    assert!(read(&[("a", "1234"), ("b", "12")]).is_ok());
    assert!(matches!(read(&[("a", "12345")]), Err(Error::FileTooLarge { limit: 4, .. })));
    assert!(matches!(read(&[("a", "1234"), ("b", "123")]), Err(Error::TooLarge { limit: 6 })));
    assert!(matches!(read(&[("a", ""), ("b", ""), ("c", "")]), Err(Error::TooManyFiles { limit: 2 })));
    let folder = write_tree(&[("a", "12345")]);
    assert!(matches!(Content::from_directory(folder.path(), &limits), Err(Error::FileTooLarge { .. })));
}

const TREE: &[(&str, &str)] = &[
    ("SKILL.md", "text"),
    (".env.example", "kept"),
    (".git/HEAD", "ref"),
    (".DS_Store", "finder"),
    (".gitignore", "*.log\n!keep.log\n/build/\nsecret\n"),
    (".kontorignore", "drafts/\n"),
    ("a.log", ""),
    ("keep.log", ""),
    ("build/out", ""),
    ("build/keep.log", ""),
    ("inner/build/out", ""),
    ("inner/secret", ""),
    ("inner/node_modules/x.js", ""),
    ("inner/.gitignore", "*"),
    ("inner/SKILL.md", "nested"),
    ("drafts/one", ""),
    ("__pycache__/x.pyc", ""),
    (".clawhub/origin.json", "{}"),
];

#[test]
fn a_folder_and_the_same_files_in_memory_give_one_digest_and_leave_out_the_same() {
    let folder = write_tree(TREE);
    fs::create_dir_all(folder.path().join("empty/folder")).unwrap();
    let from_folder = Content::from_directory(folder.path(), &Limits::default()).unwrap();
    let in_memory = from_files(TREE).unwrap();
    assert_eq!(
        paths(&from_folder),
        [
            ".env.example",
            ".gitignore",
            ".kontorignore",
            "SKILL.md",
            "inner/.gitignore",
            "inner/SKILL.md",
            "inner/build/out",
            "keep.log",
        ]
    );
    assert_eq!(pack(&from_folder), pack(&in_memory));
}

#[test]
fn applying_the_ignore_files_again_changes_nothing() {
    let once = from_files(&[
        ("SKILL.md", ""),
        (".gitignore", "*.log\n*\n"),
        (".kontorignore", "!a.log\n.kontorignore\nkontor.toml\n"),
        ("kontor.toml", ""),
        ("a.log", ""),
        ("b.log", ""),
    ])
    .unwrap();
    let files: Vec<_> = once.files().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).collect();
    assert_eq!(paths(&once), [".gitignore", ".kontorignore", "SKILL.md", "a.log", "kontor.toml"]);
    assert_eq!(pack(&Content::from_files(files, &Limits::default()).unwrap()), pack(&once));
}

#[rstest]
#[case::not_utf8(b"\xFF\n".to_vec())]
#[case::huge(vec![b'a'; 70_000])]
#[case::many_lines(b"a\n".repeat(1_001))]
fn an_ignore_file_that_cannot_be_honoured_is_refused(#[case] bytes: Vec<u8>) {
    let files = [("SKILL.md".to_owned(), Vec::new()), (".gitignore".to_owned(), bytes)];
    let refusal = Content::from_files(files, &Limits::default()).unwrap_err();
    assert_eq!(refusal.finding().file, ".gitignore");
    assert!(!refusal.finding().remedy.is_empty());
}

#[test]
fn a_nested_skill_is_its_own_skill_and_content_of_the_outer_one() {
    let tree = from_files(&[("SKILL.md", "outer"), ("more/inner/skill.md", "inner"), ("more/inner/x", "")]).unwrap();
    let found = discover_paths(tree.files().map(|(path, _)| path));
    let folders: Vec<_> = found.skills.iter().map(|skill| (skill.path.as_str(), skill.file.as_str())).collect();
    assert_eq!(folders, [("", "SKILL.md"), ("more/inner", "skill.md")]);
    assert_eq!(found.skills[1].folder_name(), Some("inner"));
    assert_eq!(paths(&tree.folder("more/inner", &Limits::default()).unwrap()), ["skill.md", "x"]);
    assert_eq!(tree.folder("", &Limits::default()).unwrap().len(), 3);
}

#[test]
fn discovery_walks_hidden_folders_and_prefers_the_usual_name() {
    let files = [
        (".claude/skills/one/SKILL.md", ""),
        (".git/skills/two/SKILL.md", ""),
        ("b/Skill.MD", ""),
        ("b/skill.md", ""),
        ("node_modules/three/SKILL.md", ""),
        ("a/SKILL.md/file", ""),
        ("a-b/SKILL.md", ""),
        ("a/z/SKILL.md", ""),
    ];
    let folder = write_tree(&files);
    let found = discover(folder.path(), &DiscoveryLimits::default()).unwrap();
    let names: Vec<_> = found.skills.iter().map(|skill| format!("{} {}", skill.path, skill.file)).collect();
    assert_eq!(names, [".claude/skills/one SKILL.md", "a-b SKILL.md", "a/z SKILL.md", "b skill.md"]);
    assert_eq!(discover_paths(files.iter().map(|(path, _)| *path)).skills, found.skills);
}

#[test]
fn discovery_is_bounded() {
    let folder = write_tree(&[("a/b/c/SKILL.md", ""), ("a/SKILL.md", "")]);
    let few = DiscoveryLimits { entries: 3, depth: 64 };
    assert!(matches!(discover(folder.path(), &few), Err(Error::TooManyFiles { limit: 3 })));
    let shallow = discover(folder.path(), &DiscoveryLimits { entries: 100, depth: 2 }).unwrap();
    assert_eq!(shallow.skills.len(), 1);
    assert_eq!(shallow.passed_over, ["a/b/c"]);
}

#[cfg(unix)]
#[test]
fn links_are_reported_and_never_followed() {
    use std::os::unix::fs::symlink;
    let outside = write_tree(&[("secret", "x"), ("skill/SKILL.md", "x")]);
    let folder = write_tree(&[("SKILL.md", "text")]);
    symlink(outside.path().join("secret"), folder.path().join("link")).unwrap();
    symlink(outside.path(), folder.path().join("folder")).unwrap();
    let content = Content::from_directory(folder.path(), &Limits::default()).unwrap();
    assert_eq!(paths(&content), ["SKILL.md"]);
    assert_eq!(content.left_out().len(), 2);
    assert!(content.left_out().iter().all(|thing| thing.finding().unwrap().code == "link_left_out"));
    let found = discover(folder.path(), &DiscoveryLimits::default()).unwrap();
    assert_eq!((found.skills.len(), found.passed_over.len()), (1, 2));
}
