/// Most bytes of a path inside a skill.
pub const MAX_PATH_BYTES: usize = 1_024;
/// Most bytes of one name in a path, as file systems have it.
pub const MAX_NAME_BYTES: usize = 255;

/// Names that never belong to a skill's content, at any depth: version control, caches and what tools leave behind.
pub const LEFT_OUT_NAMES: [&str; 7] = [".git", ".hg", ".svn", ".clawhub", "node_modules", "__pycache__", ".DS_Store"];

/// Whether `name`, one segment of a path, never belongs to a skill's content.
pub fn is_left_out_name(name: &str) -> bool {
    LEFT_OUT_NAMES.contains(&name)
}

/// Why a path cannot be part of a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathRule {
    /// Nothing was given.
    #[error("it is empty")]
    Empty,
    /// Longer than file systems and archives carry.
    #[error("it is longer than {MAX_PATH_BYTES} bytes, or one name in it longer than {MAX_NAME_BYTES}")]
    TooLong,
    /// It starts at a root, a drive or a network share.
    #[error("it is absolute; paths are relative to the skill's folder")]
    Absolute,
    /// It has `..`, `.` or an empty name.
    #[error("it has `..`, `.` or an empty name")]
    Dots,
    /// It has a backslash.
    #[error("it has a backslash; names are separated by `/`")]
    Backslash,
    /// It has a control character.
    #[error("it has a control character")]
    Control,
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
}

/// Checks that `path` is one a skill may have: relative, separated by `/`, without tricks.
///
/// The path is never rewritten; whoever holds other text refuses it or leaves it out.
pub fn check_path(path: &str) -> Result<(), PathRule> {
    if path.is_empty() {
        return Err(PathRule::Empty);
    }
    if path.len() > MAX_PATH_BYTES || path.split('/').any(|name| name.len() > MAX_NAME_BYTES) {
        return Err(PathRule::TooLong);
    }
    if path.chars().any(char::is_control) {
        return Err(PathRule::Control);
    }
    let bytes = path.as_bytes();
    let drive = bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    if bytes[0] == b'/' || drive || path.starts_with("\\\\") {
        return Err(PathRule::Absolute);
    }
    if path.contains('\\') {
        return Err(PathRule::Backslash);
    }
    if path.split('/').any(|name| matches!(name, "" | "." | "..")) {
        return Err(PathRule::Dots);
    }
    Ok(())
}

/// Whether any name in `path` never belongs to a skill's content.
pub fn is_left_out(path: &str) -> bool {
    path.split('/').any(is_left_out_name)
}

/// Whether `name` is what a skill's text is called, in any case of letters.
pub fn is_skill_file_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("skill.md")
}

/// How well a name serves as the skill's text: `SKILL.md`, then `skill.md`, then the rest in order of bytes.
pub(crate) fn skill_file_rank(name: &str) -> (u8, &str) {
    match name {
        "SKILL.md" => (0, name),
        "skill.md" => (1, name),
        _ => (2, name),
    }
}

/// Text of foreign origin made fit for a message: control characters shown as escapes, at most 200 characters.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::new();
    for char in text.chars().take(200) {
        if char.is_control() || crate::look_alike::is_invisible(char) {
            shown.extend(char.escape_unicode());
        } else {
            shown.push(char);
        }
    }
    shown
}
