//! What somebody typed into the form of a run, and the files that they chose.

use std::collections::BTreeMap;

use axum::extract::Multipart;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kontor_front::Failure;
use kontor_types::Code;

/// The most parts that a form may have.
const MOST_PARTS: usize = 512;
/// The most bytes of files that a page carries back to a form that has to be sent again.
const CARRIED: usize = 64 << 10;

/// A file that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The field that it was chosen in.
    pub field: String,
    /// Its name; no path.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// What was typed in and chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    texts: BTreeMap<String, String>,
    /// The files, in their order.
    pub files: Vec<Sent>,
}

impl Typed {
    /// Reads a form as a browser sends it.
    ///
    /// # Errors
    /// A failure for what is no such form, or larger than this hub takes.
    pub async fn read(form: Result<Multipart, MultipartRejection>) -> Result<Self, Failure> {
        let mut form = form.map_err(|_| Failure::invalid("the form of a run is sent as multipart/form-data"))?;
        let mut typed = Self::default();
        for _ in 0..MOST_PARTS {
            let Some(part) = form.next_field().await.map_err(|error| broken(&error))? else { return Ok(typed) };
            let field = part.name().unwrap_or_default().to_owned();
            match part.file_name().map(plain) {
                // Nothing was chosen here.
                Some(name) if name.is_empty() => {}
                Some(name) => {
                    let bytes = part.bytes().await.map_err(|error| broken(&error))?;
                    typed.files.push(Sent { field, name, bytes });
                }
                None => typed.put(field, &part.text().await.map_err(|error| broken(&error))?),
            }
        }
        Err(Failure::invalid(format!("a form has at most {MOST_PARTS} parts")))
    }

    /// These texts, as if they had been typed in.
    #[cfg(test)]
    pub fn of(texts: &[(&str, &str)]) -> Self {
        let mut typed = Self::default();
        for (field, text) in texts {
            typed.put((*field).to_owned(), text);
        }
        typed
    }

    /// Texts that stand in a form before anybody typed.
    pub const fn filled(texts: BTreeMap<String, String>) -> Self {
        Self { texts, files: Vec::new() }
    }

    /// A field that is ticked or chosen several times has its values one a line. Browsers end lines in two characters.
    fn put(&mut self, field: String, text: &str) {
        let text = text.replace("\r\n", "\n");
        if field == "kept" {
            self.files.extend(unpacked(&text));
            return;
        }
        self.texts
            .entry(field)
            .and_modify(|known| {
                known.push('\n');
                known.push_str(&text);
            })
            .or_insert(text);
    }

    /// What stands in a field; nothing for one that is not there.
    pub fn text(&self, field: &str) -> &str {
        self.texts.get(field).map_or("", String::as_str)
    }

    /// The lines of a field that say something.
    pub fn lines(&self, field: &str) -> impl Iterator<Item = &str> {
        self.text(field).lines().map(str::trim).filter(|line| !line.is_empty())
    }

    /// The file that was chosen in a field; one that was chosen anew goes before one that was kept.
    pub fn file(&self, field: &str) -> Option<&Sent> {
        self.files.iter().rev().find(|file| file.field == field)
    }

    /// The files of the form, each with what a page carries of it; none where that would be too much.
    pub fn carried(&self) -> impl Iterator<Item = (&Sent, Option<String>)> {
        let mut room = CARRIED;
        self.files.iter().map(move |file| {
            let fits = file.bytes.len() <= room;
            if fits {
                room -= file.bytes.len();
            }
            (file, fits.then(|| packed(file)))
        })
    }
}

fn packed(file: &Sent) -> String {
    format!("{} {} {}", file.field, STANDARD.encode(&file.bytes), file.name)
}

fn unpacked(text: &str) -> Option<Sent> {
    let mut parts = text.splitn(3, ' ');
    let (field, bytes, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Sent { field: field.to_owned(), name: plain(name), bytes: STANDARD.decode(bytes).ok()?.into() })
}

/// A file's name without the folders that some browsers send with it.
fn plain(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

fn broken(error: &MultipartError) -> Failure {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Failure::new(Code::TooLarge, "the files are larger than this hub takes");
    }
    Failure::invalid("the form cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_back_with_a_form_unless_they_are_large() {
        let file = |name: &str, size: usize| Sent {
            field: "files".to_owned(),
            name: name.to_owned(),
            bytes: vec![b'a'; size].into(),
        };
        let typed =
            Typed { files: vec![file("a b.txt", 3), file("large.bin", CARRIED), file("c.txt", 2)], ..Typed::default() };
        let carried: Vec<_> = typed.carried().map(|(_, text)| text).collect();
        assert_eq!((carried[0].is_some(), carried[1].is_some(), carried[2].is_some()), (true, false, true));
        assert_eq!(unpacked(carried[0].as_ref().unwrap()), Some(typed.files[0].clone()));
        assert_eq!(unpacked("files ??? name"), None);
        assert_eq!(plain("C:\\folder\\..\\name.txt"), "name.txt");
    }
}
