//! The policy in force: kept in the database, the same for all processes.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use kontor_db::policies::{self, PolicyRow};
use kontor_db::{Conn, Tx};
use kontor_types::{Digest, PolicyId, Timestamp};
use serde_json::json;

use super::{Action, Actor, DEFAULT, Policy, PolicyFault, preset};
use crate::{Caller, Error, audit};

/// The policy in force, read again when another was set; cheap to clone.
#[derive(Clone, Default)]
pub struct PolicyInForce {
    known: Arc<ArcSwapOption<Known>>,
}

struct Known {
    id: Option<PolicyId>,
    policy: Arc<Policy>,
}

impl std::fmt::Debug for PolicyInForce {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PolicyInForce").finish_non_exhaustive()
    }
}

impl PolicyInForce {
    /// The policy that decides now.
    ///
    /// # Errors
    /// [`Error::Policy`] when the one in the database cannot be read by this program; then nothing is decided.
    pub async fn get(&self, conn: &mut Conn) -> Result<Arc<Policy>, Error> {
        let id = policies::newest_id(conn).await?;
        if let Some(known) = self.known.load_full().filter(|known| known.id == id) {
            return Ok(Arc::clone(&known.policy));
        }
        let row = policies::newest(conn).await?;
        let (id, name, text) = match &row {
            Some(row) => (Some(row.id), row.name.as_str(), row.text.as_str()),
            None => (None, DEFAULT, preset(DEFAULT).unwrap_or_default()),
        };
        let policy = Arc::new(Policy::load(name, text).map_err(|faults| Error::Policy { faults })?);
        self.keep(Known { id, policy: Arc::clone(&policy) });
        Ok(policy)
    }

    /// The policy that this process knows of, without asking the database; none before anybody has.
    pub fn at_hand(&self) -> Option<Arc<Policy>> {
        self.known.load().as_ref().map(|known| Arc::clone(&known.policy))
    }

    /// Keeps what was read, unless a newer one was read meanwhile.
    fn keep(&self, read: Known) {
        let read = Arc::new(read);
        self.known.rcu(|known| match known {
            Some(known) if known.id > read.id => Some(Arc::clone(known)),
            _ => Some(Arc::clone(&read)),
        });
    }

    /// What setting another policy would write, and the digest of the one before; the one before stays when this one is
    /// broken, or when the one before forbids it.
    ///
    /// # Errors
    /// [`Error::Policy`] for a broken one, [`Error::Administrator`] and [`Error::Forbidden`] for who may not.
    pub async fn allow(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        name: &str,
        text: &str,
        now: Timestamp,
    ) -> Result<(PolicyRow, Digest), Error> {
        caller.require_administrator()?;
        let policy = Policy::load(name, text).map_err(|faults| Error::Policy { faults })?;
        let before = match self.get(conn).await {
            Ok(before) => {
                let asked = before.may(Action::Administer, &Actor::of(caller), None);
                asked.map_err(|reasons| Error::Forbidden { reasons })?;
                before.digest()
            }
            // One that this program cannot read forbids nothing, or nobody could ever set another.
            Err(Error::Policy { .. }) => {
                policies::newest(conn).await?.map_or_else(|| Digest::of(b""), |row| row.digest)
            }
            Err(error) => return Err(error),
        };
        if policy.may(Action::Administer, &Actor::of(caller), None).is_err() {
            let message = "you could not change this policy again: permit Action::\"administer\" to yourself";
            return Err(Error::Policy { faults: vec![PolicyFault::whole(message)] });
        }
        let row = PolicyRow {
            id: PolicyId::new(now),
            name: name.to_owned(),
            text: text.to_owned(),
            digest: policy.digest(),
            set_by: caller.person_id(),
            created_at: now,
        };
        Ok((row, before))
    }

    /// Puts what [`PolicyInForce::allow`] allowed in force.
    pub async fn set(tx: &mut Tx, caller: &Caller, row: &PolicyRow, before: Digest) -> Result<(), Error> {
        let mut row = row.clone();
        // The newest id is in force, whatever the clocks of several nodes say.
        if let Some(newest) = policies::newest(tx).await? {
            let mut at = row.created_at.max(newest.created_at);
            while row.id <= newest.id {
                at = at.after(Duration::from_millis(1));
                row.id = PolicyId::new(at);
            }
        }
        policies::insert(tx, &row).await?;
        let detail = json!({"name": row.name, "digest": row.digest, "before": before});
        let event = audit::Event::new("policy.set", row.name.clone()).detail(detail);
        Ok(audit::record(tx, caller, event, row.created_at).await?)
    }
}

impl Actor {
    /// Who asks, without a publisher in view.
    pub fn of(caller: &Caller) -> Self {
        Self {
            handle: caller.person.as_ref().map(|(_, handle)| handle.to_string()).unwrap_or_default(),
            hub: caller.is_hub(),
            administrator: caller.viewer().is_administrator(),
            ..Self::default()
        }
    }
}
