use std::time::Duration;

use kontor_db::device_logins::{self, DeviceLogin};
use kontor_db::{Tx, persons};
use kontor_types::{DeviceLoginId, Scope, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::access::line;
use crate::audit::{self, Event};
use crate::tokens::{created, for_device, insert_token, sorted};
use crate::{Access, Caller, Error, secret};

/// How long a device sign-in can be approved, and how far back wrong codes count.
const PATIENCE: Duration = Duration::from_mins(10);
/// Wrong codes that one person may type within that time.
const TRIES: i64 = 5;
/// Sign-ins that may wait at once, over the whole hub.
const MOST_WAITING: i64 = 10_000;
/// By how much a device that polls too fast must slow down (RFC 8628 §3.5).
const SLOWER_BY: i64 = 5;
const SLOWEST: i64 = 60;
/// A device's clock is not ours: polls this much early are on time.
const GRACE: Duration = Duration::from_millis(500);

/// A sign-in that a device began.
#[derive(Debug, Clone)]
pub struct DeviceStart {
    /// The device's secret for asking.
    pub device_code: SecretString,
    /// What the person types, as it is shown: `BCDF-GHJK`.
    pub user_code: String,
    /// How long it can be approved.
    pub expires_in: Duration,
    /// From when on it cannot.
    pub expires_at: Timestamp,
    /// How long the device waits between two polls.
    pub interval: Duration,
}

/// What a device is told when it asks.
#[derive(Debug, Clone)]
pub enum DevicePoll {
    /// Nobody has decided.
    Pending,
    /// It asks too often: wait this long from now on.
    SlowDown(Duration),
    /// Approved: the token, this once, and its scopes.
    Approved(SecretString, Vec<Scope>),
    /// Denied.
    Denied,
    /// Too late, unknown, or the token was taken before.
    Expired,
}

/// What a device asks for, shown before it is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequest {
    /// What the device calls itself.
    pub label: String,
    /// What it wants to do.
    pub scopes: Vec<Scope>,
    /// Until when it can be approved.
    pub expires_at: Timestamp,
}

impl Access {
    /// Begins a sign-in for whoever asks.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a label that is none, [`Error::TooManySignIns`].
    pub async fn start_device_login(&self, label: &str, scopes: Vec<Scope>) -> Result<DeviceStart, Error> {
        let now = self.now();
        let interval = self.settings.device_interval.max(Duration::from_secs(1));
        let device_code = secret::opaque();
        let mut login = DeviceLogin {
            id: DeviceLoginId::new(now),
            user_code: String::new(),
            label: line(label, "a device's label")?,
            scopes: sorted(scopes),
            decision: None,
            person_id: None,
            created_at: now,
            expires_at: now.after(PATIENCE),
            poll_seconds: i64::try_from(interval.as_secs()).unwrap_or(SLOWEST),
            last_polled_at: None,
            collected_at: None,
        };
        let hash = secret::hash(device_code.expose_secret());
        if device_logins::waiting_count(&mut self.db.read().await?, now).await? >= MOST_WAITING {
            return Err(Error::TooManySignIns);
        }
        // A code in use is as good as impossible among 25 thousand million; twice in a row is a fault.
        let mut attempt = 0;
        loop {
            login.user_code = secret::user_code();
            let row = login.clone();
            let unit = self.db.write(move |tx| Box::pin(async move { device_logins::insert(tx, &row, &hash).await }));
            match unit.await {
                Err(error) if error.is_duplicate() && attempt < 2 => attempt += 1,
                other => break other?,
            }
        }
        Ok(DeviceStart {
            device_code,
            user_code: secret::shown_user_code(&login.user_code),
            expires_in: PATIENCE,
            expires_at: login.expires_at,
            interval,
        })
    }

    /// Answers a device that asks whether it was approved; once approved it gets its token, once.
    pub async fn poll_device_login(&self, device_code: &SecretString, caller: &Caller) -> Result<DevicePoll, Error> {
        let (hash, now) = (secret::hash(device_code.expose_secret()), self.now());
        let (days, caller) = (self.settings.token_days, caller.clone());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                let Some(login) = device_logins::by_device_hash(tx, &hash).await? else {
                    return Ok(DevicePoll::Expired);
                };
                if now >= login.expires_at || login.collected_at.is_some() {
                    return Ok(DevicePoll::Expired);
                }
                match login.decision.as_deref() {
                    Some("approved") => collect(tx, &login, &caller, now, days).await,
                    Some(_) => Ok(DevicePoll::Denied),
                    None => wait(tx, &login, now).await,
                }
            })
        });
        unit.await
    }

    /// What the device behind a user code asks for, before the caller decides. A wrong code counts as a try.
    ///
    /// # Errors
    /// [`Error::UserCode`], [`Error::TooManyTries`], [`Error::Bound`] when the token is bound.
    pub async fn device_request(&self, caller: &Caller, user_code: &str) -> Result<DeviceRequest, Error> {
        let login = self.waiting_login(caller, user_code).await?;
        Ok(DeviceRequest { label: login.label, scopes: login.scopes, expires_at: login.expires_at })
    }

    /// Approves or denies the device behind a user code. It may do no more than what the caller shows.
    ///
    /// # Errors
    /// As [`Access::device_request`]; [`Error::Scope`].
    pub async fn decide_device_login(
        &self,
        caller: &Caller,
        user_code: &str,
        approve: bool,
    ) -> Result<DeviceRequest, Error> {
        let person = caller.require_person()?;
        let login = self.waiting_login(caller, user_code).await?;
        if approve {
            login.scopes.iter().try_for_each(|scope| caller.require(*scope))?;
        }
        let request = DeviceRequest { label: login.label, scopes: login.scopes, expires_at: login.expires_at };
        let (caller, now, told) = (caller.clone(), self.now(), request.clone());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                if !device_logins::decide(tx, login.id, person, approve).await? {
                    return Err(Error::UserCode);
                }
                let action = if approve { "device.approve" } else { "device.deny" };
                let event = Event::new(action, told.label).detail(json!({"scopes": told.scopes}));
                Ok(audit::record(tx, &caller, event, now).await?)
            })
        });
        unit.await?;
        Ok(request)
    }

    async fn waiting_login(&self, caller: &Caller, user_code: &str) -> Result<DeviceLogin, Error> {
        let person = caller.require_person()?;
        if caller.publishers.is_some() {
            return Err(Error::Bound);
        }
        let (now, typed) = (self.now(), secret::typed_user_code(user_code));
        let mut conn = self.db.read().await?;
        if device_logins::attempts(&mut conn, person, now.before(PATIENCE)).await? >= TRIES {
            return Err(Error::TooManyTries);
        }
        let found = device_logins::waiting(&mut conn, &typed, now).await?;
        drop(conn);
        if let Some(login) = found {
            return Ok(login);
        }
        self.db.write(move |tx| Box::pin(async move { device_logins::record_attempt(tx, person, now).await })).await?;
        Err(Error::UserCode)
    }
}

async fn wait(tx: &mut Tx, login: &DeviceLogin, now: Timestamp) -> Result<DevicePoll, Error> {
    let interval = Duration::from_secs(login.poll_seconds.unsigned_abs());
    let early = login.last_polled_at.is_some_and(|last| now.since(last) + GRACE < interval);
    let seconds = if early { login.poll_seconds.saturating_add(SLOWER_BY).min(SLOWEST) } else { login.poll_seconds };
    device_logins::polled(tx, login.id, seconds, now).await?;
    let slower = Duration::from_secs(seconds.unsigned_abs());
    Ok(if early { DevicePoll::SlowDown(slower) } else { DevicePoll::Pending })
}

async fn collect(
    tx: &mut Tx,
    login: &DeviceLogin,
    device: &Caller,
    now: Timestamp,
    days: u32,
) -> Result<DevicePoll, Error> {
    let Some(person) = login.person_id else { return Ok(DevicePoll::Expired) };
    let person = persons::by_id(tx, person).await?.filter(|person| person.disabled_at.is_none());
    let Some(person) = person else { return Ok(DevicePoll::Denied) };
    if !device_logins::collect(tx, login.id, now).await? {
        return Ok(DevicePoll::Expired);
    }
    let secret = secret::token();
    let token = for_device(person.id, login.label.clone(), login.scopes.clone(), now, days);
    insert_token(tx, &token, &secret::hash(secret.expose_secret())).await?;
    let owner = Caller::person((person.id, person.handle), false, Vec::new(), login.scopes.clone(), None)
        .via(device.address, device.request_id.clone());
    audit::record(tx, &owner, created(&token), now).await?;
    Ok(DevicePoll::Approved(secret, login.scopes.clone()))
}
