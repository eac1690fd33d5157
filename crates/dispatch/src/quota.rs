use std::time::Duration;

use kontor_db::Tx;
use kontor_db::runs;
use kontor_types::{PersonId, PublisherId, Timestamp};

use crate::{Error, Settings};

/// The span of the daily share.
const DAY: Duration = Duration::from_hours(24);
/// When to look again whether a run has ended.
const SOON: Duration = Duration::from_secs(5);

/// Passes when one more run stays within the shares of the person and of the publisher.
pub(crate) async fn require(
    tx: &mut Tx,
    settings: &Settings,
    person: PersonId,
    publisher: PublisherId,
    now: Timestamp,
) -> Result<(), Error> {
    let (own, of_all) = runs::used(tx, person, publisher, now.before(DAY)).await?;
    if own.open >= i64::from(settings.person_open) {
        let detail = format!("{} of your runs are not over yet, and no more are accepted", own.open);
        return Err(Error::Quota { detail, wait: SOON });
    }
    if of_all.open >= i64::from(settings.publisher_open) {
        let detail =
            format!("{} runs in this publisher's name are not over yet, and no more are accepted", of_all.open);
        return Err(Error::Quota { detail, wait: SOON });
    }
    if own.since >= i64::from(settings.person_daily) {
        let wait = own.first.map_or(SOON, |first| first.after(DAY).since(now)).max(SOON);
        let detail = format!("you have started {} runs within 24 hours, and no more are accepted", own.since);
        return Err(Error::Quota { detail, wait });
    }
    Ok(())
}
