use std::io::{Cursor, Write as _};

use kontor_package::{Content, Limits, pack};

/// The files of a small, spec-valid skill.
pub fn skill(name: &str, description: &str, body: &str) -> Vec<(String, Vec<u8>)> {
    let text = format!("---\nname: {name}\ndescription: {description}\n---\n\n# {name}\n\n{body}\n");
    vec![("SKILL.md".to_owned(), text.into_bytes())]
}

/// An ordinary, compressed ZIP of files, as people make them.
pub fn zip_of(files: &[(String, Vec<u8>)]) -> std::io::Result<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        writer.start_file(path.as_str(), zip::write::SimpleFileOptions::default())?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// The canonical archive of files, and its digest.
pub fn canonical(files: Vec<(String, Vec<u8>)>) -> Result<kontor_package::Package, kontor_package::Error> {
    Ok(pack(&Content::from_files(files, &Limits::default())?))
}
