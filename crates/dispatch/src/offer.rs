//! What somebody reads before they start a run: what can be run of a version, and what it would get.

use kontor_access::Caller;
use kontor_package::{Content, Manifest, NetworkGrant};
use kontor_registry::Found;
use kontor_runs::{CallerGrants, Granted, scripts};
use kontor_types::{Handle, Scope, SkillRef};

use crate::accept::{Declared, manifest, take_over};
use crate::{Error, Runs};

/// What can be run of a version, and what a run as declared would get.
#[derive(Debug)]
pub struct Offer {
    /// The version.
    pub found: Found,
    /// Its files.
    pub content: Content,
    /// What its manifest says, with the overlay of the publisher in whose name it would run.
    pub manifest: Manifest,
    /// Whether such an overlay is in force.
    pub overlaid: bool,
    /// Its scripts, by path.
    pub scripts: Vec<String>,
    /// What a run gets that is granted all that is declared.
    pub granted: Granted,
    /// Hosts below which single ones can be granted by name.
    pub bounds: Vec<NetworkGrant>,
    /// Why whoever asks may not run it.
    pub refused: Option<Error>,
}

impl Runs {
    /// What a run of a version would be, in the name of a publisher or else in the caller's own. Whoever is not signed in
    /// reads what the author declares.
    ///
    /// # Errors
    /// [`Error::Registry`] for what the caller may not see, [`Error::Access`] for a publisher that is not theirs.
    pub async fn offer(&self, caller: &Caller, skill: &SkillRef, publisher: Option<&Handle>) -> Result<Offer, Error> {
        let registry = &self.0.parts.registry;
        let found = registry.version(caller.viewer(), skill).await?;
        let content = self.content(&found).await?;
        let refused = match caller.require(Scope::Run) {
            Ok(()) => registry.may_run(caller, &found).await.err().map(Error::from),
            Err(error) => Some(error.into()),
        };
        let declared = if caller.person_id().is_some() && refused.is_none() {
            let publisher = self.in_name_of(caller, publisher).await?;
            self.declared(caller, &publisher, &found, &content).await?
        } else {
            Declared { manifest: manifest(&content), overlay: None }
        };
        let permissions = &declared.manifest.permissions;
        let mut all = CallerGrants::default();
        take_over(permissions, &mut all);
        let granted = Granted::of(permissions, &declared.manifest.limits, &self.settings().ceiling, &all);
        let bounds = permissions.network.iter().filter(|grant| grant.host().starts_with("*.")).cloned().collect();
        Ok(Offer {
            scripts: scripts(&content),
            overlaid: declared.overlay.is_some(),
            manifest: declared.manifest,
            found,
            content,
            granted,
            bounds,
            refused,
        })
    }
}
