//! The form of older clients: `payload` with JSON and one part named `files` a file, its path as the file name.

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use bytes::{Bytes, BytesMut};
use kontor_package::Limits;
use kontor_types::Code;

use super::request::Asked;
use crate::Failure;
use crate::clawhub::refusal::Refusal;

/// The most bytes of the JSON part.
const MOST_PAYLOAD: u64 = 1 << 20;

/// Reads the form; nothing larger than a skill may be is held in memory.
pub async fn read(mut form: Multipart, limits: &Limits) -> Result<(Asked, Vec<(String, Bytes)>), Refusal> {
    let (mut asked, mut files, mut total) = (None, Vec::new(), 0_u64);
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("payload") => asked = Some(payload(&bounded(field, MOST_PAYLOAD, "the payload").await?)?),
            Some("files" | "files[]") => {
                if files.len() >= limits.files {
                    return Err(too_large(format!("there are more than {} files", limits.files)));
                }
                let path = field.file_name().map(str::to_owned);
                let path =
                    path.ok_or_else(|| Refusal::invalid("a file has no name: send its path as the file name"))?;
                let bytes = bounded(field, limits.file_bytes, &path).await?;
                total = total.saturating_add(bytes.len() as u64);
                if total > limits.skill_bytes {
                    return Err(too_large(format!("the files have more than {} bytes together", limits.skill_bytes)));
                }
                files.push((path, bytes));
            }
            _ => {}
        }
    }
    let asked =
        asked.ok_or_else(|| Refusal::invalid("the form has no part named `payload` with the request as JSON"))?;
    Ok((asked, files))
}

fn payload(json: &[u8]) -> Result<Asked, Refusal> {
    serde_json::from_slice(json)
        .map_err(|error| Refusal::invalid(format!("the payload is not what is expected here: {error}")))
}

async fn bounded(mut field: Field<'_>, most: u64, what: &str) -> Result<Bytes, Refusal> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        if (bytes.len() + chunk.len()) as u64 > most {
            let what: String = what.chars().filter(|char| !char.is_control()).take(200).collect();
            return Err(too_large(format!("{what} has more than {most} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn too_large(text: String) -> Refusal {
    Failure::new(Code::TooLarge, text).into()
}

#[expect(clippy::needless_pass_by_value, reason = "passed to map_err by name")]
fn broken(error: MultipartError) -> Refusal {
    Refusal::invalid(format!("the form cannot be read: {}", error.body_text()))
}
