//! Accounts of the ledger and what went through them, for their owners and for administrators.

use axum::extract::State;
use kontor_access::Caller;
use kontor_ledger::{Account, Line, Side};
use kontor_types::{Cursor, Role};
use kontor_wire::{LedgerAccount, LedgerAccountPage, LedgerLine, LedgerStatement, PageQuery};
use utoipa_axum::routes;

use crate::extract::{Json, Path, Query, page_size};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

/// The newest lines of a statement.
const MOST: u32 = 200;

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(accounts)).add(Class::Read, routes!(statement))
}

/// The caller's accounts and those of publishers that they own or administer; every account for an administrator of the hub.
#[utoipa::path(get, path = "/ledger/accounts", tag = "ledger", params(PageQuery),
    responses((status = 200, body = LedgerAccountPage)))]
async fn accounts(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<PageQuery>,
) -> Result<Json<LedgerAccountPage>, Failure> {
    caller.require_person()?;
    let size = page_size(query.limit);
    let after = after(query.cursor.as_ref())?;
    let limit = size.get() + 1;
    let mut found = if caller.viewer.is_administrator() {
        hub.app.ledger.accounts(after, limit).await
    } else {
        hub.app.ledger.accounts_of(&owners(&hub, &caller).await?, after, limit).await
    }
    .map_err(failed)?;
    let more = found.len() > size.get() as usize;
    found.truncate(size.get() as usize);
    let next_cursor = found.last().filter(|_| more).map(|last| Cursor::of(&[&last.number]));
    Ok(Json(LedgerAccountPage { items: found.iter().map(account).collect(), next_cursor }))
}

/// The newest lines of an account.
#[utoipa::path(get, path = "/ledger/accounts/{n}/statement", tag = "ledger", params(("n" = String, Path)),
    responses((status = 200, body = LedgerStatement)))]
async fn statement(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(number): Path<String>,
) -> Result<Json<LedgerStatement>, Failure> {
    caller.require_person()?;
    let number: i64 = number.parse().map_err(|_| Failure::not_found())?;
    let found = hub.app.ledger.account(number).await.map_err(failed)?.ok_or_else(Failure::not_found)?;
    if !caller.viewer.is_administrator() {
        let owner = (found.owner_kind.clone(), found.owner.clone());
        if !owners(&hub, &caller).await?.contains(&owner) {
            return Err(Failure::not_found());
        }
    }
    let lines = hub.app.ledger.statement(number, MOST).await.map_err(failed)?;
    let items = lines.into_iter().map(|one| line(&found, one)).collect();
    Ok(Json(LedgerStatement { account: account(&found), items }))
}

/// Whose accounts the caller may see.
async fn owners(hub: &Hub, caller: &Caller) -> Result<Vec<(String, String)>, Failure> {
    let mut owners = Vec::new();
    if let Some((_, handle)) = &caller.person
        && caller.publishers.is_none()
    {
        owners.push(("person".to_owned(), handle.to_string()));
    }
    for membership in hub.app.access.memberships(caller).await? {
        let sees = membership.role.includes(Role::Admin);
        let bound = caller.publishers.as_ref().is_some_and(|bound| !bound.contains(&membership.publisher_id));
        if sees && !bound {
            owners.push(("publisher".to_owned(), membership.handle.to_string()));
        }
    }
    Ok(owners)
}

fn after(cursor: Option<&Cursor>) -> Result<i64, Failure> {
    let Some(cursor) = cursor else { return Ok(0) };
    let number = cursor.keys::<1>().and_then(|[number]| number.parse().ok());
    number.ok_or_else(|| Failure::new(kontor_types::Code::InvalidCursor, "this cursor is not one of ours"))
}

fn failed(error: kontor_ledger::Error) -> Failure {
    Failure::from(kontor_commerce::Error::from(error))
}

fn account(account: &Account) -> LedgerAccount {
    LedgerAccount {
        number: account.number,
        owner_kind: account.owner_kind.clone(),
        owner: account.owner.clone(),
        code: account.code.clone(),
        side: account.side.to_string(),
        guarded: account.guarded,
        balance: account.currency.minor(account.balance()),
        free: account.currency.minor(account.free()),
        opened_at: account.opened_at,
        closed_at: account.closed_at,
    }
}

fn line(account: &Account, line: Line) -> LedgerLine {
    let Line { leg, transfer, balance } = line;
    let debited = leg.debit == account.number;
    let grows = debited == (account.side == Side::Debit);
    let signed = |amount: i64| account.currency.minor(if grows { amount } else { -amount });
    LedgerLine {
        transfer: transfer.number,
        kind: transfer.kind.to_string(),
        memo: transfer.memo,
        at: transfer.created_at,
        other: if debited { leg.credit } else { leg.debit },
        change: signed(leg.amount),
        held: signed(leg.held),
        balance: account.currency.minor(balance),
    }
}
