//! What requests and the workers ask, each question once.

use kontor_db::audit_events::{self, Filter as Deeds};
use kontor_db::consents::{Consent, Question};
use kontor_db::likenesses::{NewLikeness, Own};
use kontor_db::look_alikes::Sought;
use kontor_db::notices::{Audience, Message, NoticeKind};
use kontor_db::reports::ReportState;
use kontor_db::resemblances::Resemblance;
use kontor_db::reviews::ReviewState;
use kontor_db::skills::{Filter, Shelf, Sort};
use kontor_db::transfers::{self, Side};
use kontor_db::usage::{self, Use};
use kontor_db::{
    Conn, Db, Error, Tx, activations, assessments, blobs, browser_sessions, changes, consents, copies, decisions,
    device_logins, idempotency, import_paths, jobs, likenesses, log_entries, look_alikes, members, notices, overlays,
    passwords, persons, policies, publisher_keys, publishers, purge, recalls, reports, requirements, resemblances,
    reviews, scan_reports, settings, sign_in_links, skill_names, skills, stars, tags, tokens, upload_tickets,
    version_files, version_signatures, versions, webhooks,
};
use kontor_types::{
    AuditId, ConsentId, DeviceLoginId, Digest, Handle, JobId, LogEntryId, NoticeId, PageSize, ReportId, ReviewId,
    SessionId, Slug, TagName, TokenId, TransferId, UploadTicketId, Version, VersionId, Viewer, WebhookId,
};

use crate::stocked::{NOW, Stock};

/// Asks all of it.
pub async fn everything(db: &Db, stock: &Stock) {
    let mut conn = db.read().await.unwrap();
    for viewer in [Viewer::anonymous(), stock.maintainer(), Viewer::hub()] {
        about_skills(&mut conn, stock, &viewer).await.unwrap();
        about_versions(&mut conn, stock, &viewer).await.unwrap();
        about_publishers(&mut conn, stock, &viewer).await.unwrap();
        about_deeds(&mut conn, stock, &viewer).await.unwrap();
    }
    about_people(&mut conn, stock).await.unwrap();
    about_work(&mut conn, stock).await.unwrap();
    about_log(&mut conn).await.unwrap();
    let stock = *stock;
    db.write(move |tx| Box::pin(async move { changing(tx, &stock).await })).await.unwrap();
    db.write(move |tx| Box::pin(async move { removing(tx, &stock).await })).await.unwrap();
    // A statement is heard at the latest when the next one of its connection begins.
    settings::get(&mut conn, "last").await.unwrap();
    db.write(|tx| Box::pin(async move { settings::get(tx, "last").await })).await.unwrap();
}

fn acme() -> Handle {
    "acme".parse().unwrap()
}

fn slug() -> Slug {
    "skill-7".parse().unwrap()
}

async fn about_skills(conn: &mut Conn, stock: &Stock, viewer: &Viewer) -> Result<(), Error> {
    let (size, skill) = (PageSize::default(), stock.skill);
    skills::find(conn, viewer, skill).await?;
    skills::find_maintained(conn, viewer, skill).await?;
    skills::find_many(conn, viewer, &[skill]).await?;
    skills::listed(conn, viewer, &[skill]).await?;
    skills::scan(conn, Some(skill), 10).await?;
    skills::newest(conn, viewer, 800).await?;
    skills::of_publisher(conn, stock.publisher).await?;
    let sorts =
        [Sort::Updated, Sort::Created, Sort::Downloads, Sort::Installs, Sort::Stars, Sort::Trending, Sort::Name];
    for sort in sorts {
        let page = skills::list(conn, viewer, &Filter::default(), sort, size, None).await?.unwrap();
        skills::list(conn, viewer, &Filter::default(), sort, size, page.next.as_ref()).await?;
        let own = Filter { publisher: Some(stock.publisher), ..Filter::default() };
        skills::list(conn, viewer, &own, sort, size, None).await?;
        let begun = Filter { prefix: Some("skill-1".to_owned()), ..Filter::default() };
        skills::list(conn, viewer, &begun, sort, size, None).await?;
    }
    for shelf in [Shelf::Hidden, Shelf::Deleted, Shelf::Maintained] {
        let filter = Filter { shelf, ..Filter::default() };
        skills::list(conn, viewer, &filter, Sort::Updated, size, None).await?;
    }
    let starred = Filter { starred_by: Some(stock.person), ..Filter::default() };
    skills::list(conn, viewer, &starred, Sort::Updated, size, None).await?;
    stars::starred(conn, stock.person, &[skill]).await?;
    activations::of(conn, stock.person).await?;
    activations::held_versions(conn, skill).await?;
    activations::holders(conn, viewer, (skill, stock.version), 10).await?;
    activations::known(conn, skill, stock.version).await?;
    consents::of(conn, stock.person, NOW).await?;
    consents::holds(conn, stock.person, stock.version, "asked", None, NOW).await?;
    skill_names::get(conn, stock.publisher, &slug()).await?;
    skill_names::resolve(conn, viewer, &acme(), &slug()).await?;
    skill_names::resolve_reserved(conn, viewer, &acme(), &slug()).await?;
    skill_names::resolve_bare(conn, viewer, &slug(), NOW, 10).await?;
    skill_names::of_skill(conn, skill).await?;
    skill_names::expired(conn, NOW, 10).await?;
    purge::due(conn, NOW, 10).await?;
    requirements::dependents(conn, viewer, (&acme(), &slug()), size, None).await?;
    requirements::of_skill(conn, viewer, skill).await?;
    overlays::list(conn, viewer, stock.publisher, skill).await?;
    import_paths::find(conn, stock.publisher, "git:x", "a").await?;
    import_paths::find_many(conn, stock.publisher, "git:x", &["a".to_owned()]).await?;
    import_paths::of_skill(conn, skill).await?;
    usage::by_day(conn, skill, NOW.day()).await?;
    usage::by_version(conn, viewer, skill).await?;
    Ok(())
}

async fn about_versions(conn: &mut Conn, stock: &Stock, viewer: &Viewer) -> Result<(), Error> {
    let (skill, version, number): (_, _, Version) = (stock.skill, stock.version, "1.0.0".parse().unwrap());
    versions::find(conn, viewer, version).await?;
    versions::find_many(conn, viewer, &[version]).await?;
    versions::by_number(conn, viewer, skill, &number).await?;
    let page = versions::list(conn, viewer, skill, PageSize::default(), None).await?.unwrap();
    let cursor = kontor_types::Cursor::of(&[&1, &page.items[0].id]);
    versions::list(conn, viewer, skill, PageSize::default(), Some(&cursor)).await?;
    versions::candidates(conn, viewer, skill).await?;
    versions::all(conn, skill).await?;
    versions::by_fingerprint(conn, viewer, skill, &Digest::of(b"")).await?;
    versions::by_digest(conn, viewer, &Digest::of(b""), 10).await?;
    version_signatures::of_version(conn, version).await?;
    let (key, after) = ((stock.publisher, "key"), Some(version));
    version_signatures::by_key(conn, key, NOW, after, 10).await?;
    recalls::by_digest(conn, viewer, &Digest::of(b""), 10).await?;
    recalls::by_name(conn, viewer, &acme(), &slug(), &number).await?;
    recalls::publisher_of(conn, viewer, &slug(), &number).await?;
    versions::reading(conn, viewer, version).await?;
    versions::front_matter_of(conn, viewer, &[version]).await?;
    version_files::list(conn, viewer, version).await?;
    version_files::find(conn, viewer, version, "SKILL.md").await?;
    version_files::texts(conn, &[skill]).await?;
    version_files::only(conn, viewer, &[version]).await?;
    requirements::of_version(conn, viewer, version).await?;
    tags::list(conn, viewer, skill).await?;
    tags::find(conn, viewer, skill, &TagName::latest()).await?;
    tags::count(conn, skill).await?;
    blobs::find(conn, &Digest::of(b"")).await?;
    blobs::list(conn, Some(&Digest::of(b"")), 10).await?;
    blobs::known(conn, &[Digest::of(b"")]).await?;
    about_likeness(conn, stock, viewer).await
}

async fn about_likeness(conn: &mut Conn, stock: &Stock, viewer: &Viewer) -> Result<(), Error> {
    let digest = Digest::of(b"bytes");
    let (version, skill, publisher, since) = (stock.version, stock.skill, stock.publisher, NOW);
    let asked = likenesses::Asked { version, skill, publisher, digest, since };
    copies::heads(conn, &[skill]).await?;
    copies::followers(conn, &[skill]).await?;
    likenesses::kept(conn, &[digest]).await?;
    likenesses::fresh(conn, &[digest]).await?;
    likenesses::met(conn, &[1, 2]).await?;
    likenesses::original(conn, viewer, &asked, Own::Skill).await?;
    likenesses::original(conn, viewer, &asked, Own::Publisher).await?;
    likenesses::of_skill(conn, viewer, &digest, skill, 8).await?;
    let names = ["look".to_owned()];
    let sought = Sought { slug: &slug(), publisher, looks: &names, slugs: &names, since };
    look_alikes::candidates(conn, &sought).await?;
    look_alikes::namesakes(conn, &sought, &[publisher]).await?;
    Ok(())
}

async fn about_publishers(conn: &mut Conn, stock: &Stock, viewer: &Viewer) -> Result<(), Error> {
    let publisher = stock.publisher;
    publishers::by_id(conn, publisher).await?;
    publishers::by_handle(conn, &acme()).await?;
    publishers::find(conn, viewer, &acme()).await?;
    publishers::list(conn, viewer, None, PageSize::default()).await?;
    publishers::list(conn, viewer, Some(&acme()), PageSize::default()).await?;
    publisher_keys::of_publisher(conn, publisher).await?;
    publisher_keys::find(conn, publisher, "key").await?;
    members::of_publisher(conn, publisher).await?;
    members::role(conn, publisher, stock.person).await?;
    members::owners(conn, publisher).await?;
    members::and_administrators(conn, publisher).await?;
    webhooks::list(conn, viewer, Some(publisher)).await?;
    webhooks::list(conn, viewer, None).await?;
    webhooks::find(conn, viewer, WebhookId::new(NOW)).await?;
    webhooks::listening(conn, publisher).await?;
    for side in [Side::Incoming, Side::Outgoing] {
        transfers::pending(conn, viewer, side, 10).await?;
    }
    transfers::find(conn, viewer, TransferId::new(NOW)).await?;
    transfers::of_skill(conn, viewer, stock.skill).await?;
    transfers::incoming_named(conn, viewer, None, &slug()).await?;
    Ok(())
}

async fn about_deeds(conn: &mut Conn, stock: &Stock, viewer: &Viewer) -> Result<(), Error> {
    let size = PageSize::default();
    let everything = Deeds::default();
    let text = |text: &str| Some(text.to_owned());
    for filter in [
        Deeds { person: Some(stock.person), ..everything.clone() },
        Deeds { publisher: Some(stock.publisher), ..everything.clone() },
        Deeds { action: text("token.create"), ..everything.clone() },
        Deeds { action: text("token"), ..everything.clone() },
        Deeds { subject: text("@acme/pdf"), ..everything.clone() },
        Deeds { since: Some(NOW), until: Some(NOW), ..everything },
    ] {
        audit_events::list(conn, viewer, &filter, None, size).await?;
        audit_events::list(conn, viewer, &filter, Some((NOW, AuditId::new(NOW))), size).await?;
    }
    let all = reports::Filter::default();
    for filter in [
        all,
        reports::Filter { state: Some(ReportState::Open), ..all },
        reports::Filter { skill: Some(stock.skill), ..all },
        reports::Filter { person: Some(stock.person), ..all },
    ] {
        reports::list(conn, viewer, &filter, size, None).await?;
    }
    let open = reports::Filter { state: Some(ReportState::Open), ..all };
    reports::count(conn, viewer, &open).await?;
    for state in [ReviewState::Open, ReviewState::Approved] {
        reviews::list(conn, viewer, state, size, None).await?;
        reviews::count(conn, viewer, state).await?;
    }
    reviews::find(conn, viewer, ReviewId::new(NOW)).await?;
    reviews::named(conn, viewer, &acme(), &slug(), &"1.0.0".parse().unwrap()).await?;
    reports::find(conn, viewer, ReportId::new(NOW)).await?;
    reports::open_by(conn, stock.skill, Some(stock.version), stock.person).await?;
    Ok(())
}

async fn about_people(conn: &mut Conn, stock: &Stock) -> Result<(), Error> {
    let (person, hash) = (stock.person, Digest::of(b""));
    persons::by_id(conn, person).await?;
    persons::by_handle(conn, &acme()).await?;
    persons::list(conn, Some(&acme()), PageSize::default()).await?;
    persons::administrators(conn).await?;
    persons::first_administrator(conn).await?;
    members::of_person(conn, person).await?;
    tokens::by_hash(conn, &hash).await?;
    tokens::by_id(conn, TokenId::new(NOW)).await?;
    tokens::of_person(conn, person, 10).await?;
    tokens::active(conn, person, NOW).await?;
    browser_sessions::by_hash(conn, &hash).await?;
    browser_sessions::by_id(conn, SessionId::new(NOW)).await?;
    browser_sessions::of_person(conn, person, NOW, 10).await?;
    sign_in_links::by_hash(conn, &hash).await?;
    passwords::of_person(conn, person).await?;
    passwords::tried_of(conn, &hash, None, NOW).await?;
    passwords::tried_of(conn, &hash, Some("192.0.2.1"), NOW).await?;
    passwords::tried_from(conn, "192.0.2.1", NOW).await?;
    passwords::is_place_of(conn, person, "192.0.2.1").await?;
    device_logins::by_device_hash(conn, &hash).await?;
    device_logins::waiting(conn, "CODE", NOW).await?;
    device_logins::waiting_count(conn, NOW).await?;
    device_logins::attempts(conn, person, NOW).await?;
    upload_tickets::find(conn, person, &hash, NOW).await?;
    upload_tickets::count_open(conn, person, NOW).await?;
    Ok(())
}

async fn about_log(conn: &mut Conn) -> Result<(), Error> {
    log_entries::newest(conn).await?;
    log_entries::waiting(conn, 10).await?;
    log_entries::newest_head(conn, 1).await?;
    log_entries::newest_signed(conn, 1).await?;
    log_entries::leaves(conn, 1, 0, 10).await?;
    log_entries::find(conn, LogEntryId::new(NOW)).await?;
    log_entries::about(conn, &Digest::of(b""), 10).await?;
    log_entries::newest_of_kind(conn, &Digest::of(b""), VersionId::new(NOW), "scan").await?;
    log_entries::about_version(conn, &Digest::of(b""), VersionId::new(NOW), 10).await?;
    Ok(())
}

async fn about_work(conn: &mut Conn, stock: &Stock) -> Result<(), Error> {
    let (version, digest) = (stock.version, Digest::of(b"bytes"));
    assessments::waiting(conn, 10).await?;
    assessments::any_waiting(conn).await?;
    assessments::subjects(conn, &[version]).await?;
    assessments::decided(conn, None, 10).await?;
    assessments::decided(conn, Some(version), 10).await?;
    assessments::attempt(conn, version).await?;
    assessments::count_waiting(conn).await?;
    assessments::of_skill(conn, stock.skill).await?;
    scan_reports::find(conn, &digest, &digest).await?;
    scan_reports::newest(conn, &[digest]).await?;
    decisions::newest(conn, &[version]).await?;
    decisions::of_version(conn, version, 10).await?;
    reviews::of_version(conn, version).await?;
    reviews::notes(conn, ReviewId::new(NOW)).await?;
    notices::of_person(conn, stock.person, None, 10).await?;
    notices::of_person(conn, stock.person, Some(NoticeId::new(NOW)), 10).await?;
    notices::unread(conn, stock.person).await?;
    policies::newest(conn).await?;
    policies::newest_id(conn).await?;
    policies::newest_digest(conn).await?;
    policies::with_digest(conn, &Digest::of(b"")).await?;
    log_entries::unsaid(conn, None, 10).await?;
    log_entries::unsaid(conn, Some(VersionId::new(NOW)), 10).await?;
    jobs::any_due(conn, &["index"], NOW).await?;
    jobs::counts(conn).await?;
    jobs::buried(conn, 10).await?;
    changes::after(conn, 0, 10).await?;
    changes::newest(conn).await?;
    Ok(())
}

async fn changing(tx: &mut Tx, stock: &Stock) -> Result<(), Error> {
    let (person, skill) = (stock.person, stock.skill);
    jobs::claim(tx, &["index", "webhook"], "worker", NOW, NOW).await?;
    jobs::revive(tx, JobId::new(NOW), NOW).await?;
    jobs::forget_done(tx, NOW).await?;
    tokens::touch(tx, TokenId::new(NOW), NOW).await?;
    tokens::revoke_all(tx, person, NOW).await?;
    browser_sessions::touch(tx, SessionId::new(NOW), NOW).await?;
    browser_sessions::revoke_all(tx, person, None, NOW).await?;
    browser_sessions::revoke_all(tx, person, Some(SessionId::new(NOW)), NOW).await?;
    sign_in_links::redeem(tx, &Digest::of(b""), NOW).await?;
    sign_in_links::void(tx, person, NOW).await?;
    passwords::rehash(tx, person, "old", "new").await?;
    passwords::forgive(tx, &Digest::of(b""), "192.0.2.1").await?;
    device_logins::polled(tx, DeviceLoginId::new(NOW), 5, NOW).await?;
    idempotency::claim(tx, person, "key", &Digest::of(b""), NOW, (NOW, NOW)).await?;
    idempotency::claim(tx, person, "key", &Digest::of(b""), NOW, (NOW, NOW)).await?;
    idempotency::purge(tx, NOW).await?;
    upload_tickets::forget_expired(tx, NOW).await?;
    upload_tickets::advance(
        tx,
        UploadTicketId::new(NOW),
        upload_tickets::TicketState::Open,
        upload_tickets::TicketState::Stored,
    )
    .await?;
    log_entries::acquire(tx, 1, "worker", NOW, NOW).await?;
    log_entries::hold(tx, 1, 1, NOW).await?;
    log_entries::sign_head(tx, 1, 1, "note").await?;
    log_entries::release(tx, 1, 1).await?;
    skills::touch(tx, skill, NOW).await?;
    stars::add(tx, skill, person, NOW).await?;
    stars::remove(tx, skill, person).await?;
    activations::put(tx, person, (skill, stock.version), NOW).await?;
    activations::others(tx, person, skill).await?;
    activations::remove(tx, person, skill).await?;
    let consent = Consent {
        id: ConsentId::new(NOW),
        version_id: stock.version,
        skill: "skill".to_owned(),
        asked: "asked".to_owned(),
        token_id: None,
        created_at: NOW,
        expires_at: None,
    };
    consents::put(tx, person, &consent).await?;
    consents::remove(tx, person, consent.id).await?;
    consents::remove_of_skill(tx, person, skill).await?;
    let (id, about) = (Digest::of(b"state"), Digest::of(b"call"));
    consents::ask(tx, &Question { id, person, about, expires_at: NOW }, 10, NOW).await?;
    consents::answer(tx, &id, person, &about, NOW).await?;
    let digest = Digest::of(b"bytes");
    likenesses::keep(tx, &[NewLikeness { digest, places: vec![1], bands: vec![1] }]).await?;
    likenesses::fill(tx, &[(1, digest)]).await?;
    likenesses::pair(tx, &[(digest, digest, 90)]).await?;
    let found = Resemblance { copy_of: Some(stock.version), ..Resemblance::default() };
    resemblances::put(tx, stock.version, &found).await?;
    resemblances::put(tx, stock.version, &Resemblance::default()).await?;
    assessments::standing(tx, stock.version).await?;
    assessments::set_judged(tx, stock.version, &Digest::of(b"")).await?;
    assessments::begin(tx, stock.version, "node", NOW).await?;
    assessments::failed(tx, stock.version, "crash").await?;
    assessments::end(tx, stock.version).await?;
    assessments::wishes(tx, stock.version).await?;
    reviews::close(tx, stock.version, ReviewState::Approved, NOW).await?;
    reviews::claim(tx, ReviewId::new(NOW), None, NOW).await?;
    notices::read(tx, person, &[NoticeId::new(NOW)], NOW).await?;
    notices::read_up_to(tx, person, NoticeId::new(NOW), NOW).await?;
    let message = Message { kind: NoticeKind::Told, reason: "", text: "told" };
    let audience = Audience { version: Some(stock.version), ..Audience::default() };
    notices::tell_holders(tx, (skill, stock.version), &audience, &message, NOW).await?;
    let day = NOW.day();
    let used = Use { skill_id: skill, version_id: stock.version, day, downloads: 1, installs: 1 };
    usage::add(tx, &[used], day).await?;
    transfers::cancel_all(tx, skill, None, NOW).await?;
    skill_names::reserve_all(tx, skill, NOW).await?;
    skill_names::restore_all(tx, skill).await?;
    Ok(())
}

async fn removing(tx: &mut Tx, stock: &Stock) -> Result<(), Error> {
    skills::set_deleted(tx, stock.skill, Some(NOW)).await?;
    assert!(purge::remove(tx, stock.skill).await?);
    Ok(())
}
