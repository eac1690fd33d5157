use kontor_db::audit_events::{self, Filter};
use kontor_db::{persons, publishers};
use kontor_types::{Cursor, Handle, PageSize, Timestamp};

use crate::{Access, AuditEvent, Caller, Error, Page};

/// Which lines of the audit trail to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only what this person did.
    pub person: Option<Handle>,
    /// Only what concerns this publisher.
    pub publisher: Option<Handle>,
    /// Only this action (`token.revoke`), or all of one noun (`token`).
    pub action: Option<String>,
    /// Only what was done to this subject.
    pub subject: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

impl Access {
    /// Lines that the caller may see, newest first: administrators all, others what they did themselves and what
    /// concerns publishers that they administer. A person or publisher that does not exist did nothing.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::Cursor`].
    pub async fn audit(
        &self,
        caller: &Caller,
        filter: AuditFilter,
        cursor: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<AuditEvent>, Error> {
        caller.require(kontor_types::Scope::Read)?;
        let before = cursor.map(place).transpose()?;
        let mut conn = self.db.read().await?;
        let mut rows = Filter {
            action: filter.action,
            subject: filter.subject,
            since: filter.since,
            until: filter.until,
            ..Filter::default()
        };
        if let Some(handle) = filter.person {
            let Some(person) = persons::by_handle(&mut conn, &handle).await? else { return Ok(empty()) };
            rows.person = Some(person.id);
        }
        if let Some(handle) = filter.publisher {
            let Some(publisher) = publishers::by_handle(&mut conn, &handle).await? else { return Ok(empty()) };
            rows.publisher = Some(publisher.id);
        }
        let found = audit_events::list(&mut conn, caller.viewer(), &rows, before, size).await?;
        Ok(Page::of(found, size, |event: &AuditEvent| Cursor::of(&[&event.at.micros(), &event.id])))
    }
}

const fn empty() -> Page<AuditEvent> {
    Page { items: Vec::new(), next: None }
}

fn place(cursor: &Cursor) -> Result<(Timestamp, kontor_types::AuditId), Error> {
    let [at, id] = cursor.keys::<2>().ok_or(Error::Cursor)?;
    let at = at.parse().map(Timestamp::from_micros).map_err(|_| Error::Cursor)?;
    Ok((at, id.parse().map_err(|_| Error::Cursor)?))
}
