//! Finding skills in the registry, as the person may see and run them, and what is known of each.

use std::collections::BTreeMap;

use futures::future::join_all;
use kontor_access::Caller;
use kontor_access::policy::{Action, Reason};
use kontor_commerce::{Search, SetAside};
use kontor_package::{Content, Limits, Manifest};
use kontor_registry::{Found, Verdict};
use kontor_search::{Filters, Query};
use kontor_types::{PageSize, PersonId, SkillRef};
use kontor_workflow::{Candidate, Choice, Journal, StepError, Stop};
use serde_json::json;

use crate::agents::Means;
use crate::judge::{Facts, choose, judge};
use crate::order::{Chosen, Discovered, Order, Shop};
use crate::{Language, Role};

/// Skills that are looked at for each part.
const LOOKED_AT: u32 = 10;
/// Most texts that give orders which one errand tells of.
const MOST_TEXTS: usize = 100;
/// Whose skills came with the hub.
const OWN: &str = "@kontor/";

impl Means {
    /// The merchants, and for each part the skills that answer.
    pub async fn discover(&self, caller: &Caller, order: &Order) -> Result<Discovered, StepError> {
        let shops = self.shops().await?;
        if shops.is_empty() {
            return Err(StepError::refused("no_merchants", "no merchant is known to this hub"));
        }
        let mut candidates = BTreeMap::new();
        for role in Role::ALL {
            candidates.insert(role, self.candidates(caller, role, order.language).await?);
        }
        Ok(Discovered { shops, candidates })
    }

    async fn shops(&self) -> Result<Vec<Shop>, StepError> {
        let merchants = self.commerce.merchants().await.map_err(|error| StepError::retry(error.to_string()))?;
        Ok(merchants
            .into_iter()
            .filter_map(|merchant| {
                let host = host_of(&merchant.endpoint)?;
                Some(Shop { id: merchant.slug, name: merchant.name, url: merchant.endpoint, host })
            })
            .collect())
    }

    /// What the merchants say of what is looked for that gives orders to programs. A skill may leave such a text away; the hub reads
    /// it by itself, so that it is known and the offer left out.
    pub async fn read_texts(&self, buyer: PersonId, words: &[String]) -> Result<Vec<SetAside>, StepError> {
        let asked = words.iter().map(|query| {
            let search = Search { query: query.clone(), ..Search::default() };
            async move { self.commerce.search(&search).await }
        });
        let mut seen: Vec<SetAside> = Vec::new();
        for found in join_all(asked).await {
            for one in found.map_err(|error| StepError::retry(error.to_string()))?.set_aside {
                if seen.len() < MOST_TEXTS && !seen.contains(&one) {
                    seen.push(one);
                }
            }
        }
        self.commerce.note_texts(buyer, &seen).await;
        Ok(seen)
    }

    async fn candidates(&self, caller: &Caller, role: Role, language: Language) -> Result<Vec<Facts>, StepError> {
        let mut found: Vec<Found> = Vec::new();
        // Skills are described in English first; who asks in Chinese also finds what is described in Chinese.
        let words = [role.search(Language::En), role.search(language)];
        for text in &words[..if language == Language::En { 1 } else { 2 }] {
            let query = Query {
                filters: Filters::default(),
                page: PageSize::clamped(LOOKED_AT),
                ..Query::new(text, caller.viewer())
            };
            let hits = self.registry.search(query).await.map_err(|error| StepError::retry(error.to_string()))?;
            for hit in hits.items {
                let name = SkillRef::new(hit.skill.publisher.clone(), hit.skill.slug.clone());
                if let Ok(version) = self.registry.version(caller.viewer(), &name).await
                    && !found.iter().any(|known| known.version.id == version.version.id)
                {
                    found.push(version);
                }
            }
        }
        let mut facts = Vec::with_capacity(found.len());
        for (place, found) in (0_u32..).zip(found) {
            facts.push(self.facts(caller, role, place, &found).await?);
        }
        Ok(facts)
    }

    async fn facts(&self, caller: &Caller, role: Role, place: u32, found: &Found) -> Result<Facts, StepError> {
        let failed = |error: kontor_registry::Error| StepError::retry(error.to_string());
        let scan = self.registry.assessment(&found.version).await.map_err(failed)?.scan;
        let verdict: Option<Verdict> = scan.map(|scan| scan.verdict);
        let forbidden = match self.registry.may_run(caller, found).await {
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        let (manifest, content) = match forbidden {
            None => self.read(found).await?,
            Some(_) => (Manifest::default(), None),
        };
        let (tool, misfit) = match content.as_ref().map(|content| role.fitting(content, &manifest.tools)) {
            Some(Ok(tool)) => (Some(tool.name), Vec::new()),
            Some(Err(why)) => (None, why),
            None => (None, Vec::new()),
        };
        let permissions = manifest.permissions;
        let asked = json!({ "network": permissions.network, "secrets": permissions.secrets }).to_string();
        let name = found.reference().to_string();
        let own = name.starts_with(OWN) && permissions.network.is_empty() && permissions.secrets.is_empty();
        let active = self.registry.activations(caller).await.map_err(failed)?;
        let active =
            permissions.network.is_empty() && active.iter().any(|one| one.found.version.id == found.version.id);
        let allowed = own || active || self.registry.has_consent(caller, found, &asked).await.map_err(failed)?;
        let alone = self.registry.permission(caller, Action::ActAlone, found).await.map_err(failed)?;
        let must_ask = alone.err().map(|reasons| wanted_by(&reasons));
        Ok(Facts {
            skill: name,
            digest: found.version.digest,
            tool,
            misfit,
            verdict: verdict.into(),
            network: permissions.network.iter().map(ToString::to_string).collect(),
            secrets: permissions.secrets,
            spec_valid: found.version.spec_valid,
            installs: found.skill.installs,
            place,
            deprecated: found.skill.deprecated_at.is_some(),
            forbidden,
            price: None,
            allowed,
            must_ask,
        })
    }

    /// The files of a version, and what its author declares.
    pub async fn read(&self, found: &Found) -> Result<(Manifest, Option<Content>), StepError> {
        let bytes = self.registry.archive_bytes(&found.version).await;
        let bytes = bytes.map_err(|error| StepError::retry(error.to_string()))?;
        let content = Content::from_archive(&bytes, &Limits::CEILING).ok();
        let text = content.as_ref().and_then(|content| content.get(kontor_package::MANIFEST_FILE));
        let manifest = text.and_then(|text| Manifest::read(&String::from_utf8_lossy(text)).0);
        Ok((manifest.unwrap_or_default(), content))
    }
}

/// Judges what was found for a part and writes the choice down.
pub(super) async fn settle(journal: &Journal, role: Role, discovered: &Discovered) -> Result<(Chosen, bool), Stop> {
    let hosts: Vec<String> = match role {
        Role::Find => discovered.shops.iter().map(|shop| shop.host.clone()).collect(),
        Role::Compare | Role::Order => Vec::new(),
    };
    let facts = discovered.candidates.get(&role).cloned().unwrap_or_default();
    let judged: Vec<_> = facts.into_iter().map(|facts| judge(facts, &hosts)).collect();
    let best = choose(&judged);
    let reason = match best {
        Some(best) => format!("{} has the most marks: {} of 100", best.facts.skill, best.marks.total),
        None => "no skill on this hub may be used for this step".to_owned(),
    };
    let candidates = judged.iter().map(|one| Candidate {
        name: one.facts.skill.clone(),
        marks: json!({"marks": one.marks, "facts": one.facts}),
        refused: one.refused.map(|ground| ground.as_str().to_owned()),
    });
    let choice = Choice {
        candidates: candidates.collect(),
        chosen: best.map(|best| best.facts.skill.clone()),
        reason: reason.clone(),
    };
    journal.choose(&format!("skill to {}", role.as_str()), &choice).await?;
    let Some((best, tool)) = best.and_then(|best| Some((best, best.facts.tool.clone()?))) else {
        return Err(Stop::refuse("no_skill", format!("{}: {reason}", role.as_str())));
    };
    let refused = judged.iter().filter_map(|one| Some(format!("{} ({})", one.facts.skill, one.refused?.as_str())));
    let chosen = Chosen {
        skill: best.facts.skill.clone(),
        digest: best.facts.digest,
        tool,
        reason,
        must_ask: best.facts.must_ask.clone(),
        refused: refused.take(20).collect(),
    };
    Ok((chosen, best.facts.allowed && best.facts.must_ask.is_none()))
}

/// Why the policy wants a person asked; empty when no rule of it lets errands act alone.
pub(super) fn wanted_by(reasons: &[Reason]) -> String {
    let texts: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
    crate::wish::clip(&texts.join("; "))
}

/// The host and port of an address, as grants have them.
fn host_of(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let usual = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    Some(if has_port { host.to_owned() } else { format!("{host}:{usual}") })
}
