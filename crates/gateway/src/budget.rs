use std::fmt;
use std::str::FromStr;

use kontor_access::{Caller, audit};
use kontor_db::model_budgets::{self, OwnerKind};
use kontor_db::{ledger_accounts, persons, publishers};
use kontor_ledger::{Leg, NewAccount, Order, Refusal, Side};
use kontor_types::{Handle, Money, PersonId, PublisherId, Role, Scope};
use serde_json::json;

use crate::lease::{minor_up, one};
use crate::price::micros_of_minor;
use crate::{Error, Gateway};

/// Longest id of an errand.
const LONGEST_ID: usize = 80;
/// Budgets of one list.
const MOST_LISTED: u32 = 1_000;
/// Where the first page of budgets begins.
const LAST_ACCOUNT: i64 = i64::MAX;

/// Whose a budget is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BudgetOwner {
    /// A person, whatever they call models for.
    Person(Handle),
    /// A publisher: calls in its name.
    Publisher(Handle),
    /// An errand.
    Errand(String),
}

/// A budget as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Whose.
    pub owner: BudgetOwner,
    /// The limit.
    pub limit: Money,
    /// What is spent, the begun minor unit counted as a whole.
    pub spent: Money,
    /// What processes hold for calls, and give back if it is not spent.
    pub held: Money,
    /// What is left for others.
    pub free: Money,
    /// Whether it takes no calls.
    pub closed: bool,
}

impl fmt::Display for BudgetOwner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(handle) => write!(formatter, "person:{handle}"),
            Self::Publisher(handle) => write!(formatter, "publisher:{handle}"),
            Self::Errand(id) => write!(formatter, "errand:{id}"),
        }
    }
}

impl FromStr for BudgetOwner {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = || {
            let text: String = text.chars().take(100).collect();
            Error::invalid(format!("`{text}` has no budget: write person:NAME, publisher:NAME or errand:ID"), None)
        };
        let (kind, name) = text.split_once(':').ok_or_else(refuse)?;
        let name = name.strip_prefix('@').unwrap_or(name);
        match kind {
            "person" => name.parse().map(Self::Person).map_err(|_| refuse()),
            "publisher" => name.parse().map(Self::Publisher).map_err(|_| refuse()),
            "errand"
                if !name.is_empty() && name.len() <= LONGEST_ID && name.chars().all(|one| one.is_ascii_graphic()) =>
            {
                Ok(Self::Errand(name.to_owned()))
            }
            _ => Err(refuse()),
        }
    }
}

/// An owner as the database knows it.
#[derive(Debug, Clone)]
enum Known {
    Person(PersonId),
    Publisher(PublisherId),
    Errand(String),
}

impl Known {
    fn row(&self) -> (OwnerKind, String) {
        match self {
            Self::Person(id) => (OwnerKind::Person, id.to_string()),
            Self::Publisher(id) => (OwnerKind::Publisher, id.to_string()),
            Self::Errand(id) => (OwnerKind::Errand, id.clone()),
        }
    }
}

impl Gateway {
    /// Sets a limit: the whole amount, what is spent included. For administrators a person's; for an organisation's admins
    /// its own; an errand's for whoever set it first.
    ///
    /// # Errors
    /// [`Error::Access`]; [`Error::Invalid`] when more than the limit is spent or held already.
    pub async fn set_budget(&self, caller: &Caller, owner: &BudgetOwner, limit: Money) -> Result<Budget, Error> {
        if limit.minor < 0 {
            return Err(Error::invalid("a limit is not negative", None));
        }
        let known = self.settable(caller, owner).await?;
        let (kind, id) = known.row();
        let (limits, _) = self.0.purse.leases.counters(limit.currency).await?;
        let account = NewAccount {
            owner_kind: "models".to_owned(),
            owner: format!("{kind}:{id}"),
            code: "budget".to_owned(),
            currency: limit.currency,
            side: Side::Credit,
            guarded: true,
        };
        let account = self.0.purse.leases.ledger.open(account).await?.number;
        // What nobody uses at the moment is free again, so that a limit can be lowered to what is spent.
        self.flush().await?;
        let (writer, now, subject) = (caller.clone(), self.0.clock.now(), owner.to_string());
        let publisher = if let Known::Publisher(id) = known { Some(id) } else { None };
        let set = self.0.purse.leases.tried(move |tx| {
            let (writer, id, subject) = (writer.clone(), id.clone(), subject.clone());
            Box::pin(async move {
                let before = model_budgets::find(tx, account).await?;
                let ceiling = before.as_ref().map_or(0, |budget| budget.ceiling);
                let row = model_budgets::Budget {
                    account,
                    owner_kind: kind,
                    owner: id,
                    currency: limit.currency,
                    ceiling: limit.minor,
                    carry: 0,
                    set_by: before.and_then(|budget| budget.set_by).or(writer.person_id()),
                    set_at: now,
                    closed_at: None,
                };
                model_budgets::put(tx, &row).await?;
                let detail = json!({ "limit": limit, "before": ceiling });
                let event = audit::Event { publisher, ..audit::Event::new("budget.set", subject) }.detail(detail);
                audit::record(tx, &writer, event, now).await?;
                let change = limit.minor.saturating_sub(ceiling);
                if change != 0 {
                    let (debit, credit) = if change > 0 { (limits, account) } else { (account, limits) };
                    let amount = limit.currency.minor(change.saturating_abs());
                    one(tx, Order::Move(vec![Leg { debit, credit, amount }]), now).await?;
                }
                Ok(())
            })
        });
        set.await.map_err(too_low)?;
        self.0.purse.forget().await;
        self.0.purse.refresh().await?;
        let mut found = self.budgets_of(owner, &known.row()).await?;
        found.retain(|budget| budget.limit.currency == limit.currency);
        found.pop().ok_or_else(|| Error::BudgetUnknown { owner: owner.to_string() })
    }

    /// Lets nothing more be spent from an owner's budgets; calls under way go on.
    pub async fn close_budget(&self, caller: &Caller, owner: &BudgetOwner) -> Result<(), Error> {
        let known = self.settable(caller, owner).await?;
        let (kind, id) = known.row();
        let rows = model_budgets::of_owner(&mut self.0.db.read().await?, kind, &id).await?;
        if rows.is_empty() {
            return Err(Error::BudgetUnknown { owner: owner.to_string() });
        }
        let (writer, now, subject) = (caller.clone(), self.0.clock.now(), owner.to_string());
        let unit = self.0.purse.leases.tried(move |tx| {
            let (writer, rows, subject) = (writer.clone(), rows.clone(), subject.clone());
            Box::pin(async move {
                for row in rows {
                    let row = model_budgets::Budget { closed_at: Some(now), set_at: now, ..row };
                    model_budgets::put(tx, &row).await?;
                }
                Ok(audit::record(tx, &writer, audit::Event::new("budget.close", subject), now).await?)
            })
        });
        unit.await?;
        self.0.purse.forget().await;
        Ok(self.0.purse.refresh().await?)
    }

    /// The budgets of an owner, one for each currency.
    ///
    /// # Errors
    /// [`Error::BudgetUnknown`] when there is none that the caller may see.
    pub async fn budget(&self, caller: &Caller, owner: &BudgetOwner) -> Result<Vec<Budget>, Error> {
        caller.require(Scope::Read)?;
        let unknown = || Error::BudgetUnknown { owner: owner.to_string() };
        let known = self.known(owner).await.map_err(|error| if is_missing(&error) { unknown() } else { error })?;
        let (kind, id) = known.row();
        let rows = model_budgets::of_owner(&mut self.0.db.read().await?, kind, &id).await?;
        if !rows.iter().any(|row| may_see(caller, row)) {
            return Err(unknown());
        }
        self.budgets_of(owner, &(kind, id)).await
    }

    /// Every budget that the caller may see, the newest first.
    pub async fn budgets(&self, caller: &Caller) -> Result<Vec<Budget>, Error> {
        caller.require(Scope::Read)?;
        self.flush().await?;
        let mut conn = self.0.db.read().await?;
        let rows = model_budgets::before(&mut conn, LAST_ACCOUNT, MOST_LISTED).await?;
        drop(conn);
        let mut found = Vec::new();
        for row in rows.into_iter().filter(|row| may_see(caller, row)) {
            let Some(owner) = self.named(&row).await? else { continue };
            found.extend(self.stands(owner, &row).await?);
        }
        Ok(found)
    }

    async fn budgets_of(&self, owner: &BudgetOwner, (kind, id): &(OwnerKind, String)) -> Result<Vec<Budget>, Error> {
        self.flush().await?;
        let rows = model_budgets::of_owner(&mut self.0.db.read().await?, *kind, id).await?;
        let mut found = Vec::new();
        for row in rows {
            found.extend(self.stands(owner.clone(), &row).await?);
        }
        Ok(found)
    }

    async fn stands(&self, owner: BudgetOwner, row: &model_budgets::Budget) -> Result<Option<Budget>, Error> {
        let account = ledger_accounts::find(&mut self.0.db.read().await?, row.account).await?;
        let Some(account) = account else { return Ok(None) };
        let of = |minor: i64| row.currency.minor(minor);
        let begun = minor_up(row.carry, micros_of_minor(row.currency));
        Ok(Some(Budget {
            owner,
            limit: of(row.ceiling),
            spent: of(row.ceiling.saturating_sub(account.balance()).saturating_add(begun)),
            held: of(account.held_debits),
            free: of(account.free().saturating_sub(begun).max(0)),
            closed: row.closed_at.is_some(),
        }))
    }

    async fn known(&self, owner: &BudgetOwner) -> Result<Known, Error> {
        let mut conn = self.0.db.read().await?;
        Ok(match owner {
            BudgetOwner::Person(handle) => {
                let missing = || kontor_access::Error::PersonNotFound { handle: handle.clone() };
                Known::Person(persons::by_handle(&mut conn, handle).await?.ok_or_else(missing)?.id)
            }
            BudgetOwner::Publisher(handle) => {
                let missing = || kontor_access::Error::PublisherNotFound { handle: handle.clone() };
                Known::Publisher(publishers::by_handle(&mut conn, handle).await?.ok_or_else(missing)?.id)
            }
            BudgetOwner::Errand(id) => Known::Errand(id.clone()),
        })
    }

    async fn named(&self, row: &model_budgets::Budget) -> Result<Option<BudgetOwner>, Error> {
        let mut conn = self.0.db.read().await?;
        Ok(match row.owner_kind {
            OwnerKind::Errand => Some(BudgetOwner::Errand(row.owner.clone())),
            OwnerKind::Person => match row.owner.parse() {
                Ok(id) => persons::by_id(&mut conn, id).await?.map(|person| BudgetOwner::Person(person.handle)),
                Err(_) => None,
            },
            OwnerKind::Publisher => match row.owner.parse() {
                Ok(id) => publishers::by_id(&mut conn, id).await?.map(|found| BudgetOwner::Publisher(found.handle)),
                Err(_) => None,
            },
        })
    }

    /// The owner whose budget the caller may set.
    async fn settable(&self, caller: &Caller, owner: &BudgetOwner) -> Result<Known, Error> {
        if caller.is_hub() {
            return self.known(owner).await;
        }
        match owner {
            BudgetOwner::Person(_) => {
                caller.require_administrator()?;
                self.known(owner).await
            }
            BudgetOwner::Publisher(handle) => {
                caller.require(Scope::Admin)?;
                let found = publishers::find(&mut self.0.db.read().await?, caller.viewer(), handle).await?;
                let missing = || kontor_access::Error::PublisherNotFound { handle: handle.clone() };
                let id = found.ok_or_else(missing)?.id;
                caller.require_role(id, Role::Admin, Scope::Admin)?;
                Ok(Known::Publisher(id))
            }
            BudgetOwner::Errand(id) => {
                caller.require(Scope::Models)?;
                let mut conn = self.0.db.read().await?;
                let rows = model_budgets::of_owner(&mut conn, OwnerKind::Errand, id).await?;
                if rows.is_empty() || rows.iter().any(|row| may_see(caller, row)) {
                    return Ok(Known::Errand(id.clone()));
                }
                Err(Error::BudgetUnknown { owner: owner.to_string() })
            }
        }
    }
}

/// People see their own, members their organisation's, administrators all.
fn may_see(caller: &Caller, row: &model_budgets::Budget) -> bool {
    let viewer = caller.viewer();
    let own = caller.person_id();
    caller.is_hub()
        || viewer.is_administrator()
        || match row.owner_kind {
            OwnerKind::Person => own.is_some_and(|own| own.to_string() == row.owner),
            OwnerKind::Publisher => viewer.member_of().any(|id| id.to_string() == row.owner),
            OwnerKind::Errand => own.is_some() && own == row.set_by,
        }
}

fn is_missing(error: &Error) -> bool {
    use kontor_access::Error as Access;
    matches!(error, Error::Access(Access::PersonNotFound { .. } | Access::PublisherNotFound { .. }))
}

fn too_low(error: Error) -> Error {
    match error {
        Error::Ledger(kontor_ledger::Error::Refused(Refusal::InsufficientFunds { .. })) => {
            Error::invalid("more than that is spent, or held by calls under way: set a higher limit", Some("limit"))
        }
        other => other,
    }
}
