//! Device sign-ins (RFC 8628).

use std::time::Duration;

use kontor_access::{Caller, DevicePoll, DeviceStart, Error};
use kontor_types::Scope;
use rstest::rstest;

use crate::support::{Hub, On};

async fn start(hub: &Hub) -> DeviceStart {
    hub.access.start_device_login("laptop", vec![Scope::Publish, Scope::Read]).await.unwrap()
}

async fn poll(hub: &Hub, start: &DeviceStart) -> DevicePoll {
    hub.access.poll_device_login(&start.device_code, &Caller::anonymous()).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn the_token_belongs_to_who_approved_and_is_given_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", &[Scope::Publish]).await;
    let start = start(&hub).await;
    assert!(matches!(poll(&hub, &start).await, DevicePoll::Pending));
    let shown = hub.access.decide_device_login(&ada, &start.user_code, true).await.unwrap();
    assert_eq!((shown.label.as_str(), shown.scopes.as_slice()), ("laptop", [Scope::Read, Scope::Publish].as_slice()));
    let DevicePoll::Approved(secret, scopes) = poll(&hub, &start).await else { panic!("it was approved") };
    assert_eq!(scopes, [Scope::Read, Scope::Publish]);
    assert_eq!(hub.again(&secret).await.person, ada.person);
    assert!(matches!(poll(&hub, &start).await, DevicePoll::Expired));
    let twice = hub.access.decide_device_login(&ada, &start.user_code, false).await;
    assert!(matches!(twice, Err(Error::UserCode)), "{twice:?}");
}

#[rstest]
#[tokio::test]
async fn two_polls_at_once_get_one_token(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let start = start(&hub).await;
    hub.access.decide_device_login(&hub.admin, &start.user_code, true).await.unwrap();
    let (one, other) = tokio::join!(poll(&hub, &start), poll(&hub, &start));
    let given = [one, other].iter().filter(|poll| matches!(poll, DevicePoll::Approved(..))).count();
    assert_eq!(given, 1);
}

#[rstest]
#[tokio::test]
async fn an_impatient_device_must_slow_down(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let start = start(&hub).await;
    assert_eq!(start.interval, Duration::from_secs(5));
    assert!(matches!(poll(&hub, &start).await, DevicePoll::Pending));
    let DevicePoll::SlowDown(wait) = poll(&hub, &start).await else { panic!("that was too soon") };
    assert_eq!(wait, Duration::from_secs(10));
    hub.clock.advance(Duration::from_secs(10));
    assert!(matches!(poll(&hub, &start).await, DevicePoll::Pending));
}

#[rstest]
#[tokio::test]
async fn nobody_gives_away_more_than_they_have(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", &[Scope::Read]).await;
    let start = start(&hub).await;
    let refused = hub.access.decide_device_login(&ada, &start.user_code, true).await;
    assert!(matches!(refused, Err(Error::Scope { scope: Scope::Publish })), "{refused:?}");
    hub.access.decide_device_login(&ada, &start.user_code, false).await.unwrap();
    assert!(matches!(poll(&hub, &start).await, DevicePoll::Denied));
}

#[rstest]
#[tokio::test]
async fn a_code_is_found_however_it_is_typed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let start = start(&hub).await;
    for typed in [start.user_code.to_lowercase(), start.user_code.replace('-', " "), format!(" {} ", start.user_code)] {
        assert!(hub.access.device_request(&hub.admin, &typed).await.is_ok(), "{typed:?}");
    }
    for wrong in ["", &format!("{}B", start.user_code), &"B".repeat(10_000)] {
        assert!(matches!(hub.access.device_request(&hub.admin, wrong).await, Err(Error::UserCode)));
    }
}

#[rstest]
#[tokio::test]
async fn five_wrong_codes_shut_a_person_out_for_ten_minutes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", Scope::ALL).await;
    for _ in 0..5 {
        assert!(matches!(hub.access.device_request(&ada, "BBBB-BBBB").await, Err(Error::UserCode)));
    }
    let start = start(&hub).await;
    let refused = hub.access.decide_device_login(&ada, &start.user_code, true).await;
    assert!(matches!(refused, Err(Error::TooManyTries)), "{refused:?}");
    assert!(hub.access.device_request(&hub.admin, &start.user_code).await.is_ok(), "others are not held up");
}
