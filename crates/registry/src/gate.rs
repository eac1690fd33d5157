//! Installing and running: what was admitted, as far as the policy in force permits it to whoever asks.
//!
//! A policy that looks at nothing costs one read of memory. What it says of a version, and of a version and somebody, is
//! kept until the version's skill changes, another policy is set, or a minute is over: some facts are ages.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kontor_access::Caller;
use kontor_access::policy::{Action, Actor, Depends, Permission, Policy, PurchaseFacts, SecretFacts};
use kontor_db::assessments::{self, Subject};
use kontor_db::publishers;
use kontor_db::scan_reports::{self, ScanReport};
use kontor_types::{Digest, Handle, PublisherId, Role, SkillId, VersionId};
use moka::sync::Cache;

use crate::{Error, Found, Registry, VersionState};

/// Most skills about which answers are kept.
const SKILLS: u64 = 20_000;
/// Most answers kept about one skill.
const OF_A_SKILL: usize = 500;
/// How long an answer is kept at most.
const KEPT: Duration = Duration::from_mins(1);
/// Most names of publishers kept.
const HANDLES: u64 = 20_000;

/// That something may be done, and what that means for caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    /// Whether everybody may, who may see the version: those who are not signed in, too.
    pub open: bool,
}

type Question = (VersionId, Action, Actor);

/// One answer, with what it was given for.
struct Answer {
    policy: Digest,
    state: VersionState,
    permission: Permission,
}

/// What was answered about the versions of one skill.
type OfSkill = Mutex<HashMap<Question, Arc<Answer>>>;

/// Answers of the policy about installing and running.
pub(crate) struct Answers {
    of_skill: Cache<SkillId, Arc<OfSkill>>,
    handles: Cache<PublisherId, Handle>,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            of_skill: Cache::builder().max_capacity(SKILLS).time_to_live(KEPT).build(),
            handles: Cache::new(HANDLES),
        }
    }
}

impl Answers {
    fn get(&self, skill: SkillId, asked: &Question) -> Option<Arc<Answer>> {
        let kept = self.of_skill.get(&skill)?;
        kept.lock().unwrap_or_else(PoisonError::into_inner).get(asked).map(Arc::clone)
    }

    fn keep(&self, skill: SkillId, asked: Question, answer: Arc<Answer>) {
        let kept = self.of_skill.get_with(skill, Arc::default);
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= OF_A_SKILL {
            kept.clear();
        }
        kept.insert(asked, answer);
    }

    /// Forgets what was said about a skill that changed.
    pub fn forget(&self, skill: SkillId) {
        self.of_skill.invalidate(&skill);
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        self.of_skill.invalidate_all();
    }
}

/// A version with the place of what is known of it.
struct Asked<'f> {
    found: &'f Found,
    question: Question,
}

impl Registry {
    /// Passes when a version was admitted and the policy lets the caller install it.
    ///
    /// # Errors
    /// [`Error::NotAdmitted`], [`Error::Forbidden`].
    pub async fn may_install(&self, caller: &Caller, found: &Found) -> Result<Permit, Error> {
        self.permit(caller, Action::Install, found).await
    }

    /// Passes when a version was admitted and the policy lets the caller run it; whoever runs versions asks this first.
    ///
    /// # Errors
    /// [`Error::NotAdmitted`], [`Error::Forbidden`].
    pub async fn may_run(&self, caller: &Caller, found: &Found) -> Result<Permit, Error> {
        self.permit(caller, Action::Run, found).await
    }

    /// Those of these versions that the caller may install.
    pub async fn installable(&self, caller: &Caller, found: Vec<Found>) -> Result<Vec<Found>, Error> {
        let policy = self.policy_at_hand().await?;
        let admitted: Vec<Found> = found.into_iter().filter(|one| self.require_admitted(one).is_ok()).collect();
        let permissions = self.answers(&policy, caller, Action::Install, &admitted).await?;
        Ok(admitted.into_iter().zip(permissions).filter_map(|(one, may)| may.is_ok().then_some(one)).collect())
    }

    /// What the policy says of each of these versions, in their order.
    pub(crate) async fn permissions(
        &self,
        caller: &Caller,
        action: Action,
        found: &[Found],
    ) -> Result<Vec<Permission>, Error> {
        let policy = self.policy_at_hand().await?;
        self.answers(&policy, caller, action, found).await
    }

    /// What the policy says of the caller's installing or running a version, whether it was admitted or not.
    pub async fn permission(&self, caller: &Caller, action: Action, found: &Found) -> Result<Permission, Error> {
        let policy = self.policy_at_hand().await?;
        let answers = self.answers(&policy, caller, action, std::slice::from_ref(found)).await?;
        Ok(answers.into_iter().next().unwrap_or_else(|| Err(Vec::new())))
    }

    /// What the policy says of giving a secret to a run of a version by the caller.
    pub(crate) async fn may_use_secret(
        &self,
        caller: &Caller,
        found: &Found,
        owner: &Handle,
        name: &str,
    ) -> Result<Permission, Error> {
        let policy = self.policy_at_hand().await?;
        let actor = self.actor(caller, found.skill.publisher_id, found.version.published_by).await?;
        let known = self.known(&[found.version.id]).await?;
        let Some((subject, scan)) = known.get(&found.version.id) else { return Ok(Err(Vec::new())) };
        let secret =
            SecretFacts { secret: name.to_owned(), owner: owner.to_string(), digest: found.version.digest.to_string() };
        Ok(policy.may_use(&actor, &self.facts_of(subject, scan), &secret))
    }

    /// What the policy says of an errand of the caller's that pays for this within their mandate without asking them.
    ///
    /// # Errors
    /// When there is no policy, or the database fails.
    pub async fn may_pay_alone(&self, caller: &Caller, purchase: &PurchaseFacts) -> Result<Permission, Error> {
        let policy = self.policy_at_hand().await?;
        let actor = Actor { organisations: self.organisations(caller).await?, ..Actor::of(caller) };
        Ok(policy.may_pay_alone(&actor, purchase))
    }

    async fn permit(&self, caller: &Caller, action: Action, found: &Found) -> Result<Permit, Error> {
        self.require_admitted(found)?;
        let policy = self.policy_at_hand().await?;
        let open = caller.person.is_none() || policy.depends(action) != Depends::Caller;
        if let Some(Ok(())) = policy.always(action) {
            return Ok(Permit { open });
        }
        match self.answers(&policy, caller, action, std::slice::from_ref(found)).await?.pop() {
            Some(Ok(())) => Ok(Permit { open }),
            refused => {
                let reasons = refused.and_then(Result::err).unwrap_or_default();
                Err(Error::Forbidden { version: found.reference().into(), action, reasons })
            }
        }
    }

    /// The policy that this process knows of; the poll of the feed brings those that others set.
    async fn policy_at_hand(&self) -> Result<Arc<Policy>, Error> {
        match self.trust.policy.at_hand() {
            Some(policy) => Ok(policy),
            None => self.policy().await.map_err(|error| match error {
                Error::Access(broken @ kontor_access::Error::Policy { .. }) => Error::NoPolicy(broken),
                other => other,
            }),
        }
    }

    /// What the policy says of each, in their order.
    async fn answers(
        &self,
        policy: &Policy,
        caller: &Caller,
        action: Action,
        of: &[Found],
    ) -> Result<Vec<Permission>, Error> {
        if let Some(always) = policy.always(action) {
            return Ok(vec![always.clone(); of.len()]);
        }
        self.cache.hear_if_behind(self).await?;
        let mark = self.cache.heard_up_to();
        let mut asked = Vec::with_capacity(of.len());
        for found in of {
            let actor = match policy.depends(action) {
                Depends::Caller => self.actor(caller, found.skill.publisher_id, found.version.published_by).await?,
                Depends::Nothing | Depends::Version => Actor::default(),
            };
            asked.push(Asked { found, question: (found.version.id, action, actor) });
        }
        let kept = |one: &Asked<'_>| self.cache.answers.get(one.found.skill.id, &one.question);
        let mut answers: Vec<Option<Arc<Answer>>> = asked.iter().map(kept).collect();
        for (answer, one) in answers.iter_mut().zip(&asked) {
            let holds = |kept: &Arc<Answer>| kept.policy == policy.digest() && kept.state == one.found.version.state;
            *answer = answer.take().filter(holds);
        }
        let open: Vec<VersionId> =
            answers.iter().zip(&asked).filter(|(kept, _)| kept.is_none()).map(|(_, one)| one.question.0).collect();
        let known = self.known(&open).await?;
        for (answer, one) in answers.iter_mut().zip(&asked).filter(|(kept, _)| kept.is_none()) {
            let Some((subject, scan)) = known.get(&one.question.0) else { continue };
            let permission = policy.may(action, &one.question.2, Some(&self.facts_of(subject, scan)));
            let given = Arc::new(Answer { policy: policy.digest(), state: one.found.version.state, permission });
            if self.cache.heard_up_to() == mark {
                self.cache.answers.keep(one.found.skill.id, one.question.clone(), Arc::clone(&given));
            }
            *answer = Some(given);
        }
        // What is gone meanwhile is nothing that anybody installs.
        let said = |answer: Option<Arc<Answer>>| answer.map_or(Err(Vec::new()), |answer| answer.permission.clone());
        Ok(answers.into_iter().map(said).collect())
    }

    /// What is known of these versions: the newest scan of each, made now where there is none yet.
    async fn known(&self, ids: &[VersionId]) -> Result<HashMap<VersionId, (Subject, ScanReport)>, Error> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut conn = self.read().await?;
        let subjects = assessments::subjects(&mut conn, ids).await?;
        let digests: Vec<Digest> = subjects.iter().map(|subject| subject.digest).collect();
        let scans = scan_reports::newest(&mut conn, &digests).await?;
        drop(conn);
        let scans: HashMap<Digest, ScanReport> = scans.into_iter().map(|scan| (scan.digest, scan)).collect();
        let mut known = HashMap::with_capacity(subjects.len());
        for subject in subjects {
            let both = match scans.get(&subject.digest) {
                Some(scan) => (subject, scan.clone()),
                None => self.scan_of(subject.id).await?,
            };
            known.insert(both.0.id, both);
        }
        Ok(known)
    }

    /// Who the caller is towards a version of this publisher.
    pub(crate) async fn actor(
        &self,
        caller: &Caller,
        publisher: PublisherId,
        author: Option<kontor_types::PersonId>,
    ) -> Result<Actor, Error> {
        Ok(Actor {
            role: caller.viewer().role_in(publisher).map_or("none", Role::as_str).to_owned(),
            organisations: self.organisations(caller).await?,
            author: author.is_some() && author == caller.person_id(),
            ..Actor::of(caller)
        })
    }

    /// The publishers that the caller belongs to.
    async fn organisations(&self, caller: &Caller) -> Result<BTreeSet<String>, Error> {
        let mut organisations = BTreeSet::new();
        for id in caller.viewer().member_of() {
            organisations.extend(self.handle_of(id).await?.map(|handle| handle.to_string()));
        }
        Ok(organisations)
    }

    /// The name of a publisher; an id keeps its name for ever.
    async fn handle_of(&self, id: PublisherId) -> Result<Option<Handle>, Error> {
        if let Some(handle) = self.cache.answers.handles.get(&id) {
            return Ok(Some(handle));
        }
        let found = publishers::by_id(&mut self.read().await?, id).await?;
        if let Some(publisher) = &found {
            self.cache.answers.handles.insert(id, publisher.handle.clone());
        }
        Ok(found.map(|publisher| publisher.handle))
    }
}
