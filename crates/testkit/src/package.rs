use kontor_package::{Content, Limits, Package, pack};

/// The canonical archive of a small, spec-valid skill of one file.
pub fn skill(name: &str, body: &str) -> Package {
    let text = format!("---\nname: {name}\ndescription: Watches {name} for the tests.\n---\n\n{body}\n");
    let files = [("SKILL.md".to_owned(), text.into_bytes())];
    pack(&Content::from_files(files, &Limits::default()).unwrap())
}
