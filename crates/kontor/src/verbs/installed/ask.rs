//! What hubs say of copies: each is asked once for all of its own.

use std::collections::{BTreeMap, BTreeSet};

use kontor_client::{Client, ErrorKind, LockedSkill, Name, Presence, differences};
use kontor_types::Digest;
use kontor_wire::{InstalledCopy, Standing};

use super::{Asked, Copy, Looked};
use crate::session::Session;
use crate::watch;

/// The hubs that would be asked.
pub fn nobody(places: &[Looked]) -> Vec<Asked> {
    let registries: BTreeSet<&String> = places.iter().flat_map(registries).collect();
    let asked = registries.into_iter().map(|registry| Asked {
        registry: registry.clone(),
        checked: false,
        code: Some("offline"),
        error: Some("nobody was asked".to_owned()),
        log_entries: None,
        distrusted: false,
    });
    asked.collect()
}

fn registries(place: &Looked) -> impl Iterator<Item = &String> {
    place.copies.iter().map(|copy| &copy.locked.registry)
}

/// Asks every hub of a lock file about its copies, and these and the hub that the user has named about the bytes that no lock file
/// names. No other address is asked, whatever a folder says where it came from.
pub async fn everybody(places: &mut [Looked], session: &Session) -> anyhow::Result<Vec<Asked>> {
    let mut hubs: BTreeSet<String> = places.iter().flat_map(registries).cloned().collect();
    if places.iter().any(|place| !place.strays.is_empty()) {
        hubs.extend(session.named_registry()?);
    }
    let mut asked = Vec::with_capacity(hubs.len());
    for registry in hubs {
        let bar = session.terminal.spinner(&format!("asking {registry}"));
        let token = session.token_for(&registry)?;
        let outcome = ask(&registry, token.as_deref(), places, session).await;
        bar.finish_and_clear();
        asked.push(match outcome {
            Ok(log_entries) => {
                Asked { registry, checked: true, code: None, error: None, log_entries, distrusted: false }
            }
            Err(error) => {
                let client = error.chain().find_map(|cause| cause.downcast_ref::<kontor_client::Error>());
                let distrusted = client.is_some_and(|error| error.kind() == ErrorKind::Refused);
                let code = Some(crate::exit::word(&error));
                Asked {
                    registry,
                    checked: false,
                    code,
                    error: Some(format!("{error:#}")),
                    log_entries: None,
                    distrusted,
                }
            }
        });
    }
    Ok(asked)
}

async fn ask(
    registry: &str,
    token: Option<&str>,
    places: &mut [Looked],
    session: &Session,
) -> anyhow::Result<Option<u64>> {
    let client = Client::new(registry, token)?;
    let (_, look) = watch::meet(&client, session).await?;
    for place in places {
        let own: Vec<&mut Copy> = place.copies.iter_mut().filter(|copy| copy.locked.registry == registry).collect();
        let questions: Vec<InstalledCopy> = own.iter().map(|copy| question(&copy.locked)).collect();
        for (copy, told) in own.into_iter().zip(client.copies(&questions).await?) {
            copy.told = Some(told);
            name_changes(&client, copy).await;
        }
        let digests: Vec<InstalledCopy> = place.strays.iter().map(|stray| by_bytes(stray.stray.digest)).collect();
        for (stray, told) in place.strays.iter_mut().zip(client.copies(&digests).await?) {
            let known = stray.told.as_ref().is_some_and(|told| told.standing != Standing::Unknown);
            if !known && told.standing != Standing::Unknown {
                (stray.told, stray.registry) = (Some(told), Some(registry.to_owned()));
            }
        }
    }
    Ok(look.newest.map(|newest| newest.size))
}

fn question(locked: &LockedSkill) -> InstalledCopy {
    InstalledCopy {
        reference: Some(locked.reference.clone()),
        version: Some(locked.version.clone()),
        digest: locked.digest,
        range: locked.range(),
    }
}

const fn by_bytes(digest: Digest) -> InstalledCopy {
    InstalledCopy { reference: None, version: None, digest, range: None }
}

/// Names the files that were changed, as far as the hub still shows those of the version.
async fn name_changes(client: &Client, copy: &mut Copy) {
    let digest = copy.locked.digest;
    let is_changed = |presence: Presence| matches!(presence, Presence::Exact(found) if found != digest);
    if !copy.folders.iter().any(|folder| is_changed(folder.presence)) {
        return;
    }
    let Ok((publisher, slug)) = copy.locked.name() else { return };
    let version = copy.locked.version.to_string();
    let Ok(files) = client.files(&Name(publisher, slug), &version).await else { return };
    if files.digest != digest {
        return;
    }
    let files: BTreeMap<String, Digest> = files.items.into_iter().map(|file| (file.path, file.digest)).collect();
    for folder in copy.folders.iter_mut().filter(|folder| is_changed(folder.presence)) {
        folder.changes = differences(&folder.path, &files).ok();
    }
}
