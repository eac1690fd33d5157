use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kontor_access::Caller;
use kontor_access::policy::{Action, Actor, Permission, PolicyInForce};
use kontor_db::{Db, publishers};
use kontor_types::{Digest, PersonId, PublisherId};
use moka::sync::Cache;

use crate::Error;
use crate::table::Route;

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(10);
const MOST: u64 = 20_000;

type Question = (Digest, Option<PersonId>, bool, Vec<PublisherId>, Arc<str>);

/// Whether callers may use models: asked of the policy in force, and kept for a moment.
pub struct Permissions {
    db: Db,
    policy: PolicyInForce,
    known: Cache<Question, Arc<Permission>>,
}

impl Permissions {
    pub fn new(db: Db) -> Self {
        let known = Cache::builder().max_capacity(MOST).time_to_live(KEPT).build();
        Self { db, policy: PolicyInForce::default(), known }
    }

    /// Looks whether another policy was set.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.policy.get(&mut self.db.read().await?).await?;
        Ok(())
    }

    pub async fn check(&self, caller: &Caller, route: &Route) -> Result<(), Error> {
        let policy = match self.policy.at_hand() {
            Some(policy) => policy,
            None => self.policy.get(&mut self.db.read().await?).await?,
        };
        if let Some(always) = policy.always(Action::UseModel) {
            return told(always, route);
        }
        let viewer = caller.viewer();
        let memberships: Vec<PublisherId> = viewer.member_of().collect();
        let name = Arc::clone(&route.name);
        let asked = (policy.digest(), caller.person_id(), viewer.is_administrator(), memberships, name);
        if let Some(known) = self.known.get(&asked) {
            return told(&known, route);
        }
        let mut organisations = BTreeSet::new();
        let mut conn = self.db.read().await?;
        for id in &asked.3 {
            organisations.extend(publishers::by_id(&mut conn, *id).await?.map(|found| found.handle.to_string()));
        }
        drop(conn);
        let actor = Actor { organisations, ..Actor::of(caller) };
        let permission = policy.may_use_model(&actor, &route.facts);
        let outcome = told(&permission, route);
        self.known.insert(asked, Arc::new(permission));
        outcome
    }
}

fn told(permission: &Permission, route: &Route) -> Result<(), Error> {
    permission.as_ref().copied().map_err(|reasons| Error::PolicyForbids {
        model: route.name.to_string(),
        reason: reasons.first().map(|reason| reason.text.clone()),
    })
}
