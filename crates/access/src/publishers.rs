use kontor_db::changes::{self, ChangeKind};
use kontor_db::{Conn, Tx, members, publishers};
use kontor_types::{Cursor, Handle, PageSize, PublisherId, PublisherKind, Role, Scope, Timestamp, Viewer};
use serde_json::json;

use crate::access::display_name;
use crate::audit::{self, Event};
use crate::people::{handle_of, taken};
use crate::{Access, Caller, Error, Page, Publisher};

/// A publisher as the caller knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPublisher {
    /// The publisher.
    pub publisher: Publisher,
    /// What the caller may do for it.
    pub role: Option<Role>,
}

impl Access {
    /// The publisher with this handle.
    ///
    /// # Errors
    /// [`Error::PublisherNotFound`] when there is none that the viewer may know of.
    pub async fn publisher(&self, viewer: &Viewer, handle: &Handle) -> Result<KnownPublisher, Error> {
        let publisher = visible(&mut self.db.read().await?, viewer, handle).await?;
        Ok(known(viewer, publisher))
    }

    /// Publishers that the viewer may list, by handle.
    pub async fn publishers(
        &self,
        viewer: &Viewer,
        cursor: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<KnownPublisher>, Error> {
        let after = cursor.map(handle_of).transpose()?;
        let rows = publishers::list(&mut self.db.read().await?, viewer, after.as_ref(), size).await?;
        let rows = rows.into_iter().map(|row| known(viewer, row)).collect();
        Ok(Page::of(rows, size, |row: &KnownPublisher| Cursor::of(&[&row.publisher.handle])))
    }

    /// Makes an organisation that the caller owns. Needs scope `publish` and a token that is not bound.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::Invalid`], and where only administrators may, [`Error::Administrator`].
    pub async fn create_organisation(
        &self,
        caller: &Caller,
        handle: &Handle,
        name: Option<&str>,
    ) -> Result<Publisher, Error> {
        caller.require(Scope::Publish)?;
        if caller.publishers.is_some() {
            return Err(Error::Bound);
        }
        if !self.settings.anyone_makes_organisations {
            caller.require_administrator()?;
        }
        let name = display_name(name.unwrap_or(handle.as_str()))?;
        let (caller, handle, now) = (caller.clone(), handle.clone(), self.now());
        let unit = self
            .db
            .write(move |tx| Box::pin(async move { insert_organisation(tx, &caller, &handle, &name, now).await }));
        let publisher = unit.await?;
        self.forget_known();
        Ok(publisher)
    }

    /// The publisher with this handle for publishing; an administrator's import makes what is missing.
    ///
    /// # Errors
    /// [`Error::PublisherNotFound`] when it is missing and the caller is no administrator; otherwise as
    /// [`Caller::require_role`] with maintainer and scope `publish`.
    pub async fn ensure_publisher(&self, caller: &Caller, handle: &Handle) -> Result<Publisher, Error> {
        caller.require(Scope::Publish)?;
        let found = publishers::by_handle(&mut self.db.read().await?, handle).await?;
        if let Some(publisher) = found {
            // Whoever may not know of it must not learn of it here.
            visible(&mut self.db.read().await?, caller.viewer(), handle).await?;
            caller.require_role(publisher.id, Role::Maintainer, Scope::Publish)?;
            return Ok(publisher);
        }
        if !caller.viewer().is_administrator() {
            return Err(Error::PublisherNotFound { handle: handle.clone() });
        }
        match self.create_unchecked(caller, handle).await {
            // Another request of the same import was faster.
            Err(Error::NameTaken { .. }) => {
                let found = publishers::by_handle(&mut self.db.read().await?, handle).await?;
                found.ok_or_else(|| Error::NameTaken { handle: handle.clone() })
            }
            made => made,
        }
    }

    async fn create_unchecked(&self, caller: &Caller, handle: &Handle) -> Result<Publisher, Error> {
        let (caller, handle, now) = (caller.clone(), handle.clone(), self.now());
        let unit = self.db.write(move |tx| {
            Box::pin(async move { insert_organisation(tx, &caller, &handle, handle.as_str(), now).await })
        });
        let publisher = unit.await?;
        self.forget_known();
        Ok(publisher)
    }

    /// Changes the name shown to people, and whether versions must be signed. For admins of the publisher.
    ///
    /// # Errors
    /// [`Error::PublisherNotFound`], [`Error::Role`], and [`Error::Invalid`], also when nothing is to be changed.
    pub async fn change_publisher(
        &self,
        caller: &Caller,
        handle: &Handle,
        name: Option<&str>,
        require_signature: Option<bool>,
    ) -> Result<KnownPublisher, Error> {
        let publisher = visible(&mut self.db.read().await?, caller.viewer(), handle).await?;
        caller.require_role(publisher.id, Role::Admin, Scope::Admin)?;
        if name.is_none() && require_signature.is_none() {
            return Err(Error::Invalid { reason: "name what to change".to_owned() });
        }
        let mut changed = publisher;
        if let Some(name) = name {
            changed.display_name = display_name(name)?;
        }
        changed.require_signature = require_signature.unwrap_or(changed.require_signature);
        let (writer, now, row) = (caller.clone(), self.now(), changed.clone());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    publishers::set_display_name(tx, row.id, &row.display_name).await?;
                    publishers::set_require_signature(tx, row.id, row.require_signature).await?;
                    let facts = json!({"display_name": row.display_name, "require_signature": row.require_signature});
                    let event = Event::new("publisher.update", row.handle.as_str()).publisher(row.id).detail(facts);
                    audit::record(tx, &writer, event, now).await?;
                    changes::record(tx, ChangeKind::Publisher, row.id.uuid(), now).await?;
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(known(caller.viewer(), changed))
    }
}

fn known(viewer: &Viewer, publisher: Publisher) -> KnownPublisher {
    KnownPublisher { role: viewer.role_in(publisher.id), publisher }
}

/// The publisher if the viewer may know of it.
pub(crate) async fn visible(conn: &mut Conn, viewer: &Viewer, handle: &Handle) -> Result<Publisher, Error> {
    let found = publishers::find(conn, viewer, handle).await?;
    found.ok_or_else(|| Error::PublisherNotFound { handle: handle.clone() })
}

async fn insert_organisation(
    tx: &mut Tx,
    caller: &Caller,
    handle: &Handle,
    display_name: &str,
    now: Timestamp,
) -> Result<Publisher, Error> {
    let publisher = Publisher {
        id: PublisherId::new(now),
        handle: handle.clone(),
        kind: PublisherKind::Organisation,
        display_name: display_name.to_owned(),
        created_at: now,
        require_signature: false,
    };
    publishers::insert(tx, &publisher).await.map_err(|error| taken(error, handle))?;
    if let Some(person) = caller.person_id() {
        members::put(tx, publisher.id, person, Role::Owner, now).await?;
    }
    let event = Event::new("publisher.create", handle.as_str()).publisher(publisher.id);
    audit::record(tx, caller, event, now).await?;
    changes::record(tx, ChangeKind::Publisher, publisher.id.uuid(), now).await?;
    Ok(publisher)
}
