//! Looking at runs, and ending them.

use kontor_access::{Caller, audit};
use kontor_db::publishers;
use kontor_db::runs::{self, Counts, EventKind, FileWay, Filter, Run, RunEvent, RunFile, RunState};
use kontor_translog::ProofFile;
use kontor_types::{Cursor, Handle, Page, PageSize, PublisherId, RunId, Scope, SkillRef};
use serde_json::json;

use crate::asked::INPUT;
use crate::{Error, Runs};

impl Runs {
    /// A run that the caller may see: their own, one in the name of a publisher that they administer, or any for
    /// administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for runs that the caller may not see.
    pub async fn show(&self, caller: &Caller, id: RunId) -> Result<Run, Error> {
        let found = runs::find(&mut self.read().await?, caller.viewer(), bound(caller), id).await?;
        found.ok_or(Error::NotFound)
    }

    /// Runs that the caller may see, the newest first.
    ///
    /// # Errors
    /// [`Error::Access`] for somebody who is not signed in, [`Error::Invalid`] for a foreign cursor.
    pub async fn list(
        &self,
        caller: &Caller,
        publisher: Option<&Handle>,
        state: Option<RunState>,
        size: PageSize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Run>, Error> {
        caller.require(Scope::Read)?;
        let before = match cursor {
            Some(cursor) => Some(begins(cursor)?),
            None => None,
        };
        let mut conn = self.read().await?;
        let publisher = match publisher {
            Some(handle) => {
                let found = publishers::find(&mut conn, caller.viewer(), handle).await?;
                let missing = || kontor_registry::Error::PublisherNotFound { handle: handle.clone() };
                Some(found.ok_or_else(missing)?.id)
            }
            None => None,
        };
        let filter =
            Filter { publisher, bound: bound(caller).map(<[PublisherId]>::to_vec), state, ..Filter::default() };
        let found = runs::list(&mut conn, caller.viewer(), &filter, before, size).await?;
        Ok(Page::cut(found, size, |run| Cursor::of(&[&run.id])))
    }

    /// Runs that the caller asked for, the newest first: those of one skill, those in one state.
    ///
    /// # Errors
    /// As [`Runs::list`].
    pub async fn own(
        &self,
        caller: &Caller,
        skill: Option<SkillRef>,
        state: Option<RunState>,
        size: PageSize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Run>, Error> {
        let person = caller.require_person()?;
        caller.require(Scope::Read)?;
        let before = cursor.map(begins).transpose()?;
        let bound = bound(caller).map(<[PublisherId]>::to_vec);
        let filter = Filter { person: Some(person), bound, skill, state, ..Filter::default() };
        let found = runs::list(&mut self.read().await?, caller.viewer(), &filter, before, size).await?;
        Ok(Page::cut(found, size, |run| Cursor::of(&[&run.id])))
    }

    /// The newest events of a run that the caller may see, in the order in which they happened, at most so many.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn told(&self, caller: &Caller, id: RunId, most: u32) -> Result<Vec<RunEvent>, Error> {
        let run = self.show(caller, id).await?;
        let after = run.events.saturating_sub(i64::from(most)).max(0);
        Ok(runs::events(&mut self.read().await?, id, after, most).await?)
    }

    /// Ends a run: at once when no worker has it, else as soon as its worker sees it. A run that is over stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Access`] without scope `run`.
    pub async fn cancel(&self, caller: &Caller, id: RunId) -> Result<Run, Error> {
        let run = self.show(caller, id).await?;
        caller.require(Scope::Run)?;
        if run.state.is_over() {
            return Ok(run);
        }
        let now = self.now();
        let (caller, subject, publisher, kept) =
            (caller.clone(), run.skill.clone(), run.publisher_id, self.keep_until(now));
        self.write(move |tx| {
            let (caller, subject) = (caller.clone(), subject.clone());
            Box::pin(async move {
                let Some(state) = runs::cancel(tx, id, (now, kept)).await? else { return Ok(()) };
                let data = if state.is_over() { json!({ "state": state.as_str() }) } else { json!({ "cancel": true }) };
                let kind = if state.is_over() { EventKind::State } else { EventKind::Note };
                runs::record(tx, id, kind, &data, now).await?;
                let event = audit::Event::new("run.cancel", subject).publisher(publisher).detail(json!({ "run": id }));
                audit::record(tx, &caller, event, now).await?;
                Ok(())
            })
        })
        .await?;
        runs::by_id(&mut self.read().await?, id).await?.ok_or(Error::NotFound)
    }

    /// The files that went one way in a run that the caller may see.
    pub async fn files(&self, caller: &Caller, id: RunId, way: FileWay) -> Result<Vec<RunFile>, Error> {
        self.show(caller, id).await?;
        let mut files = runs::files(&mut self.read().await?, id, way).await?;
        files.retain(|file| file.path != INPUT);
        Ok(files)
    }

    /// A file that a run left, or what its program said on `stdout` or `stderr`; its bytes are in the blob store.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::FileNotFound`].
    pub async fn file(&self, caller: &Caller, id: RunId, way: FileWay, path: &str) -> Result<RunFile, Error> {
        self.show(caller, id).await?;
        let found = runs::file(&mut self.read().await?, id, way, path).await?;
        found.ok_or_else(|| Error::FileNotFound { path: path.to_owned() })
    }

    /// The signed receipt of a run.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] while there is none, and for runs whose program never ended.
    pub async fn receipt(&self, caller: &Caller, id: RunId) -> Result<Vec<u8>, Error> {
        let run = self.show(caller, id).await?;
        let state = run.state;
        run.receipt.ok_or_else(|| Error::Conflict {
            detail: format!("the run is {state} and has no receipt"),
            hint: "a receipt is signed when the program has ended",
        })
    }

    /// The proof that the receipt of a run is in the hub's log; waits a little for what is on its way there.
    ///
    /// # Errors
    /// As [`Runs::receipt`]; [`kontor_registry::Error::Log`] when it is not published yet.
    pub async fn proof(&self, caller: &Caller, id: RunId) -> Result<ProofFile, Error> {
        let receipt = self.receipt(caller, id).await?;
        let proof = self.0.parts.registry.log().receipt_proof(&receipt).await;
        Ok(proof.map_err(kontor_registry::Error::from)?)
    }

    /// How many runs stand where.
    pub async fn counts(&self) -> Result<Counts, Error> {
        Ok(runs::counts(&mut self.read().await?).await?)
    }
}

/// The publishers that the caller's token is bound to.
fn bound(caller: &Caller) -> Option<&[PublisherId]> {
    caller.publishers.as_deref()
}

fn begins(cursor: &Cursor) -> Result<RunId, Error> {
    let foreign = || Error::Registry(kontor_registry::Error::Cursor);
    let [id] = cursor.keys::<1>().ok_or_else(foreign)?;
    id.parse().map_err(|_| foreign())
}
