//! Uploading a skill file by file: a ticket for each, the bytes under the ticket, and at last the content made of them.
//!
//! A ticket is bound to a person, a path, a size and a digest, and is met only by bytes sent under it: that the hub holds
//! such bytes of somebody else says nothing.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use kontor_access::Caller;
use kontor_db::upload_tickets::{self, NewTicket, Ticket, TicketState};
use kontor_package::{Content, check_path, human_bytes};
use kontor_types::{Digest, PersonId, Scope, Timestamp, UploadTicketId};

use crate::{Error, Registry};

/// How long a ticket holds: a slow upload of a large skill, and a retry of the publish after it.
const LIFETIME: Duration = Duration::from_hours(6);

/// Most tickets that one person holds at once.
const MOST: u64 = 10_000;

/// A file that is to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its path inside the skill.
    pub path: String,
    /// How many bytes it has.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// The permission to upload one file.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedTicket {
    /// What the uploader shows with the bytes and again when publishing.
    pub secret: String,
    /// Until when it holds.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for IssuedTicket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("IssuedTicket").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// A file that was uploaded, as the publish names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// What the file was announced as.
    pub file: Upload,
    /// The ticket's secret.
    pub secret: String,
}

impl Registry {
    /// Permits the caller to upload one file.
    ///
    /// # Errors
    /// [`Error::Content`] for an unsafe path, [`Error::Invalid`] for a file over the limit or too many open tickets.
    pub async fn announce_upload(&self, caller: &Caller, file: Upload) -> Result<IssuedTicket, Error> {
        caller.require(Scope::Publish)?;
        let person = caller.require_person()?;
        check_path(&file.path).map_err(|rule| Error::invalid(format!("the path cannot be part of a skill: {rule}")))?;
        let limit = self.limits().file_bytes;
        if file.size > limit {
            return Err(Error::invalid(format!("`{}` is larger than {}", file.path, human_bytes(limit))));
        }
        let now = self.now();
        let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let ticket = NewTicket {
            id: UploadTicketId::new(now),
            secret_hash: Digest::of(secret.as_bytes()),
            person_id: person,
            path: file.path,
            size: file.size,
            digest: file.digest,
            now,
            expires_at: now.after(LIFETIME),
        };
        let expires_at = ticket.expires_at;
        self.write(move |tx| {
            let ticket = ticket.clone();
            Box::pin(async move {
                if upload_tickets::count_open(tx, person, now).await? >= MOST {
                    return Err(Error::conflict(
                        format!("{MOST} uploads of yours have not been published yet"),
                        "publish them, or wait until they expire",
                    ));
                }
                Ok(upload_tickets::insert(tx, &ticket).await?)
            })
        })
        .await?;
        Ok(IssuedTicket { secret, expires_at })
    }

    /// Takes the bytes of a file under its ticket; sending them again is no error.
    ///
    /// # Errors
    /// [`Error::NotFound`] without a valid ticket of this person, [`Error::Invalid`] for other bytes than announced.
    pub async fn upload(&self, caller: &Caller, secret: &str, bytes: Bytes) -> Result<UploadTicketId, Error> {
        caller.require(Scope::Publish)?;
        let person = caller.require_person()?;
        let ticket = self.ticket(person, secret).await?;
        if bytes.len() as u64 != ticket.size || Digest::of(&bytes) != ticket.digest {
            return Err(Error::invalid(format!(
                "these are not the {} bytes with {} that were announced for `{}`",
                ticket.size, ticket.digest, ticket.path
            )));
        }
        self.parts.blobs.put(bytes).await?;
        let id = ticket.id;
        self.write(move |tx| {
            Box::pin(async move { Ok(upload_tickets::advance(tx, id, TicketState::Open, TicketState::Stored).await?) })
        })
        .await?;
        Ok(id)
    }

    /// The content made of uploaded files; a publish that is sent again finds them again.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a ticket that is not this person's, [`Error::Invalid`] for one that does not fit its file
    /// or whose bytes never came, [`Error::Content`] when the files cannot be a skill together.
    pub async fn uploaded_content(&self, caller: &Caller, files: Vec<Uploaded>) -> Result<Content, Error> {
        caller.require(Scope::Publish)?;
        let person = caller.require_person()?;
        let limits = *self.limits();
        let announced: u64 = files.iter().fold(0, |sum, file| sum.saturating_add(file.file.size));
        if files.len() > limits.files || announced > limits.skill_bytes {
            return Err(Error::invalid(format!(
                "a skill has at most {} files and {}",
                limits.files,
                human_bytes(limits.skill_bytes)
            )));
        }
        let mut content = Vec::with_capacity(files.len());
        for Uploaded { file, secret } in files {
            let ticket = self.ticket(person, &secret).await?;
            if (&ticket.path, ticket.size, ticket.digest) != (&file.path, file.size, file.digest) {
                return Err(Error::invalid(format!("the upload ticket of `{}` was given for another file", file.path)));
            }
            if ticket.state == TicketState::Open {
                return Err(Error::invalid(format!("the bytes of `{}` have not come yet", file.path)));
            }
            content.push((file.path, self.parts.blobs.get(&ticket.digest).await?.to_vec()));
        }
        Ok(Content::from_files(content, &limits)?)
    }

    /// Forgets tickets that no longer hold; says how many.
    pub async fn forget_uploads(&self) -> Result<u64, Error> {
        let now = self.now();
        self.write(move |tx| Box::pin(async move { Ok(upload_tickets::forget_expired(tx, now).await?) })).await
    }

    async fn ticket(&self, person: PersonId, secret: &str) -> Result<Ticket, Error> {
        let hash = Digest::of(secret.as_bytes());
        let found = upload_tickets::find(&mut self.read().await?, person, &hash, self.now()).await?;
        found.ok_or(Error::NotFound { what: "upload ticket" })
    }
}
