//! The parts of the form: a few words and the files, never more in memory than a skill may hold.

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::StatusCode;
use kontor_front::{Failure, Hub};
use kontor_package::Limits;
use kontor_types::Code;

use super::Wish;
use super::refusal::Refusal;

/// The most bytes of one field of words.
const MOST_WORDS: u64 = 128 << 10;
/// How the names of archives end.
const ARCHIVES: [&str; 5] = [".zip", ".tar.gz", ".tgz", ".tar.zst", ".tar"];

/// The form as it was sent.
#[derive(Debug, Default)]
pub struct Sent {
    /// What shows that it was made for this session.
    pub form: String,
    /// What was typed.
    pub wish: Wish,
    /// The files.
    pub given: Given,
    /// Why the files were not kept.
    pub refusal: Option<Refusal>,
}

/// What is to be published.
#[derive(Debug, Default)]
pub enum Given {
    /// Nothing was chosen.
    #[default]
    Nothing,
    /// One archive.
    Archive(Vec<u8>),
    /// Files by their paths.
    Files {
        /// The folder that held all of them.
        folder: Option<String>,
        /// Path and bytes of each.
        files: Vec<(String, Vec<u8>)>,
    },
}

/// Reads the form to its end, so that a browser that still sends sees the answer. Files are kept only behind the proof that
/// the form is ours.
pub async fn read(
    request: Request,
    hub: &Hub,
    limits: &Limits,
    is_ours: impl Fn(&str) -> bool,
) -> Result<Sent, Failure> {
    let form = Multipart::from_request(request, hub).await;
    let mut form = form.map_err(|_| Failure::invalid("the form is not sent as a form with files"))?;
    let (mut sent, mut files, mut total) = (Sent::default(), Vec::new(), 0_u64);
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        match field.name().unwrap_or_default().to_owned().as_str() {
            "form" => sent.form = words(field).await?,
            "publisher" => sent.wish.publisher = words(field).await?,
            "slug" => sent.wish.slug = words(field).await?,
            "version" => sent.wish.version = words(field).await?,
            "changelog" => sent.wish.changelog = words(field).await?,
            "visibility" => sent.wish.visibility = words(field).await?,
            "files" | "folder" if sent.refusal.is_none() && is_ours(&sent.form) => {
                let Some(path) = field.file_name().filter(|name| !name.is_empty()).map(str::to_owned) else { continue };
                let most = if is_archive(&path) { limits.skill_bytes } else { limits.file_bytes };
                match bounded(field, most.min(limits.skill_bytes - total)).await? {
                    Some(bytes) if files.len() < limits.files => {
                        total += bytes.len() as u64;
                        files.push((path, bytes));
                    }
                    Some(_) => sent.refusal = Some(many(limits)),
                    None => sent.refusal = Some(large(&path, limits)),
                }
            }
            _ => drop(bounded(field, 0).await?),
        }
    }
    sent.given = given(files);
    Ok(sent)
}

fn given(mut files: Vec<(String, Vec<u8>)>) -> Given {
    match files.as_mut_slice() {
        [] => Given::Nothing,
        [(path, bytes)] if is_archive(path) => Given::Archive(std::mem::take(bytes)),
        _ => {
            let folder = around(&files);
            if let Some(folder) = &folder {
                for (path, _) in &mut files {
                    path.drain(..=folder.len());
                }
            }
            Given::Files { folder, files }
        }
    }
}

/// The folder that all files lie in.
fn around(files: &[(String, Vec<u8>)]) -> Option<String> {
    let (folder, _) = files.first()?.0.split_once('/')?;
    let is_around = |path: &str| path.split_once('/').is_some_and(|(first, rest)| first == folder && !rest.is_empty());
    (!folder.is_empty() && folder != "." && folder != ".." && files.iter().all(|(path, _)| is_around(path)))
        .then(|| folder.to_owned())
}

fn is_archive(path: &str) -> bool {
    let name = path.to_ascii_lowercase();
    !name.contains('/') && ARCHIVES.iter().any(|end| name.ends_with(end))
}

async fn words(field: Field<'_>) -> Result<String, Failure> {
    let bytes = bounded(field, MOST_WORDS).await?;
    let bytes = bytes.ok_or_else(|| Failure::invalid("a field of the form is too long"))?;
    String::from_utf8(bytes).map_err(|_| Failure::invalid("a field of the form is no text"))
}

/// The bytes of a field, read to its end; none when they are more.
async fn bounded(mut field: Field<'_>, most: u64) -> Result<Option<Vec<u8>>, Failure> {
    let mut bytes = Some(Vec::new());
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        bytes = bytes.filter(|kept| (kept.len() + chunk.len()) as u64 <= most);
        if let Some(kept) = &mut bytes {
            kept.extend_from_slice(&chunk);
        }
    }
    Ok(bytes)
}

fn many(limits: &Limits) -> Refusal {
    Refusal::new(Code::TooLarge, format!("there are more than {} files", limits.files))
}

fn large(path: &str, limits: &Limits) -> Refusal {
    let path: String = path.chars().filter(|char| !char.is_control()).take(200).collect();
    let (file, all) = (limits.file_bytes, limits.skill_bytes);
    Refusal::new(Code::TooLarge, format!("`{path}` is too large: a file may have {file} bytes, all together {all}"))
}

fn broken(error: &MultipartError) -> Failure {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::new(Code::TooLarge, "the form is larger than this hub takes"),
        _ => Failure::invalid("the form cannot be read to its end: send it again"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::folder(&["pdf/SKILL.md", "pdf/a/b.md"], Some("pdf"))]
    #[case::bare(&["SKILL.md", "a.md"], None)]
    #[case::mixed(&["pdf/SKILL.md", "a.md"], None)]
    #[case::two_folders(&["pdf/SKILL.md", "doc/a.md"], None)]
    #[case::outside(&["../SKILL.md", "../a.md"], None)]
    #[case::absolute(&["/etc/SKILL.md"], None)]
    #[case::nameless(&["pdf/", "pdf/SKILL.md"], None)]
    fn only_a_folder_around_everything_is_taken_off(#[case] paths: &[&str], #[case] folder: Option<&str>) {
        let files = paths.iter().map(|path| ((*path).to_owned(), Vec::new())).collect();
        let Given::Files { folder: found, files } = given(files) else { panic!("these are files") };
        assert_eq!(found.as_deref(), folder);
        let whole = paths.iter().map(|path| path.len()).sum::<usize>();
        let kept = files.iter().map(|(path, _)| path.len()).sum::<usize>();
        assert_eq!(whole - kept, folder.map_or(0, |folder| (folder.len() + 1) * paths.len()));
    }

    #[rstest]
    #[case::zip("Skill.ZIP", true)]
    #[case::tar("skill.tar.gz", true)]
    #[case::inside("folder/skill.zip", false)]
    #[case::text("SKILL.md", false)]
    fn one_archive_is_known_by_its_name(#[case] path: &str, #[case] is_one: bool) {
        assert_eq!(matches!(given(vec![(path.to_owned(), vec![1])]), Given::Archive(_)), is_one);
    }
}
