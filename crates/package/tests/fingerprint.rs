//! Fingerprints as ClawHub clients compute them. The expected values come from that computation in JavaScript
//! (`localeCompare` of ICU 78.2, then SHA-256), run over files whose content is their own path.

use kontor_package::fingerprint;
use kontor_types::Digest;
use rstest::rstest;

fn of(paths: &[&str]) -> String {
    fingerprint(paths.iter().map(|path| (*path, Digest::of(path.as_bytes())))).hex()
}

#[rstest]
#[case::nothing(&[], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
#[case::one(&["SKILL.md"], "eabce16d24ac74e26178eb97ea17103a9b0d8ed740b8f69ab3d5399c5359885c")]
#[case::letters_before_capitals(
    &["SKILL.md", "references/a.md"],
    "17263f5913c871ee08b0a93a2414eb5ded9d218286ed4a72eaad2efd519bd38c"
)]
#[case::signs_before_letters(
    &["SKILL.md", "_meta.json", "scripts/run.py", "scripts/Run.py", "scripts-old/run.py", "LICENSE.txt",
        "references/a-b.md", "references/a_b.md", "references/ab.md"],
    "987409b9d32c3a26426cc55dc369c74e11bba8c264d21ec4ea4461632fad3f54"
)]
#[case::odd_names(ODD_NAMES, "27e66c7a33bedadba8d9559608087920450a88d5cb290f93ec636179ac00a517")]
#[case::hidden_files_do_not_count(
    &["SKILL.md", ".env", ".claude/x", "a/.hidden/x", "node_modules/x", "a/node_modules/x"],
    "eabce16d24ac74e26178eb97ea17103a9b0d8ed740b8f69ab3d5399c5359885c"
)]
fn the_fingerprint_is_what_clients_compute(#[case] paths: &[&str], #[case] expected: &str) {
    assert_eq!(of(paths), expected);
    let mut reversed = paths.to_vec();
    reversed.reverse();
    assert_eq!(of(&reversed), expected);
}

const ODD_NAMES: &[&str] = &[
    "_x.md",
    "-x.md",
    "!x.md",
    "'x.md",
    "(x).md",
    "[x].md",
    "@x.md",
    "&x.md",
    "#x.md",
    "%x.md",
    "+x.md",
    "~x.md",
    "\u{1f600}.md",
    "$x.md",
    "01.md",
    "1.md",
    "a b.md",
    "a_b.md",
    "a-b.md",
    "a,b.md",
    "a;b.md",
    "a.b.md",
    "a.md",
    "\u{ff41}.md",
    "A.md",
    "a/b.md",
    "a=b.md",
    "a1.md",
    "a10.md",
    "a2.md",
    "ab.md",
    "assets/\u{56fe}.svg",
    "e.md",
    "\u{c9}.md",
    "f.md",
    "fi.md",
    "\u{fb01}.md",
    "fj.md",
    "license.txt",
    "LICENSE.txt",
    "oe.md",
    "readme.md",
    "Readme.md",
    "README.md",
    "references/a.md",
    "scripts_old/run.py",
    "scripts-old/run.py",
    "scripts.md",
    "scripts/run.py",
    "scripts/Run.py",
    "SKILL.md",
    "ss.md",
    "\u{df}.md",
    "st.md",
    "u.md",
    "\u{fc}.md",
    "v.md",
    "z.md",
    "Z.md",
    "\u{3b1}.md",
    "\u{3a9}.md",
    "\u{44f}.md",
    "\u{5d0}.md",
    "\u{627}.md",
    "\u{d55c}.md",
    "\u{3042}.md",
    "\u{30a2}.md",
    "\u{ff71}.md",
    "\u{4e2d}\u{6587}.md",
    "\u{65e5}\u{672c}.md",
];
