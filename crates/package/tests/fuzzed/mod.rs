//! What must hold for any bytes: checked by the fuzzer for new ones, and by `seeds.rs` for those that once taught us.

use std::io::{Cursor, Write as _};

use kontor_package::{ArchiveLimits, Content, Limits, discover_paths, inspect, pack, unpack_tree};

/// What is done with the bytes.
type Target = fn(&[u8]);

/// The targets by name; each has a folder in `fuzz/seeds`.
pub const TARGETS: &[(&str, Target)] = &[
    ("front_matter", front_matter),
    ("manifest", manifest),
    ("zip", archive),
    ("tar", tar),
    ("tar_gz", tar_gz),
    ("tar_zst", tar_zst),
    ("canonical", canonical),
    ("paths", paths),
];

/// Small, so that the fuzzer also meets them.
const LIMITS: Limits = Limits { file_bytes: 64 << 10, skill_bytes: 256 << 10, files: 50 };

fn front_matter(bytes: &[u8]) {
    judge(vec![("SKILL.md".to_owned(), bytes.to_vec())]);
}

fn manifest(bytes: &[u8]) {
    let text = b"---\nname: words\ndescription: Counts words.\n---\nCount them.\n";
    judge(vec![("SKILL.md".to_owned(), text.to_vec()), ("kontor.toml".to_owned(), bytes.to_vec())]);
}

fn judge(files: Vec<(String, Vec<u8>)>) {
    let Ok(content) = Content::from_files(files, &LIMITS) else { return };
    hold(&content);
}

fn archive(bytes: &[u8]) {
    stays_inside(bytes);
    let Ok(content) = Content::from_archive(bytes, &LIMITS) else { return };
    assert!(content.size() <= LIMITS.skill_bytes && content.len() <= LIMITS.files);
    hold(&content);
}

/// The bytes as they are, and with the checksum of every header set right, so that the fuzzer gets past it.
fn tar(bytes: &[u8]) {
    archive(bytes);
    let mut mended = bytes.to_vec();
    for block in mended.chunks_exact_mut(512).filter(|block| block[257..262] == *b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    if mended != bytes {
        archive(&mended);
    }
}

/// Unpacking to a folder is bounded and writes nothing beside it.
fn stays_inside(bytes: &[u8]) {
    let Ok(outer) = tempfile::tempdir() else { return };
    let limits = ArchiveLimits { file_bytes: 64 << 10, total_bytes: 256 << 10, entries: 100 };
    if let Ok(unpacked) = unpack_tree(Cursor::new(bytes), &outer.path().join("target"), &limits) {
        assert!(unpacked.bytes <= limits.total_bytes);
    }
    let beside = outer.path().read_dir().into_iter().flatten().flatten().filter(|entry| entry.file_name() != "target");
    assert_eq!(beside.count(), 0, "something was written beside the target");
}

/// The bytes as they are, and as what a whole gzip stream holds, so that the fuzzer gets past the checksum.
fn tar_gz(bytes: &[u8]) {
    archive(bytes);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    if encoder.write_all(bytes).is_ok()
        && let Ok(whole) = encoder.finish()
    {
        archive(&whole);
    }
}

fn tar_zst(bytes: &[u8]) {
    archive(bytes);
    if let Ok(whole) = zstd::bulk::compress(bytes, 1) {
        archive(&whole);
    }
}

/// What is read as canonical is exactly what packing it again writes.
fn canonical(bytes: &[u8]) {
    let Ok(content) = Content::from_canonical(bytes, &LIMITS) else { return };
    assert!(pack(&content).bytes[..] == *bytes, "two byte forms of one content");
}

fn paths(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let found = discover_paths(text.lines());
    assert!(found.skills.len() <= text.lines().count());
}

/// Every content has one byte form that reads back as itself, and can be judged twice with one verdict.
fn hold(content: &Content) {
    let package = pack(content);
    let back = Content::from_canonical(&package.bytes, &Limits::default());
    assert!(back.is_ok_and(|back| back.files().eq(content.files())), "packing and reading is the identity");
    let verdict = inspect(content, Some("words"));
    assert!(verdict == inspect(content, Some("words")), "the same skill is judged the same");
    assert!(verdict.accepted || !verdict.spec_valid, "a refused skill is not valid");
    for finding in &verdict.findings {
        let text = content.get(&finding.file).unwrap_or_default();
        let lines = 1 + text.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
        assert!(finding.line as usize <= lines, "{finding:?} lies behind the file's {lines} lines");
        assert!(!finding.message.chars().any(char::is_control), "{finding:?}");
    }
    for (path, _) in content.files() {
        assert!(!path.starts_with('/') && !path.split('/').any(|part| matches!(part, "" | "." | "..")), "{path:?}");
    }
}
