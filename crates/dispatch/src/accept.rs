//! Accepting a run: who may run what, with which permissions, and that it is written down before anybody is answered.

mod bounds;

use bytes::Bytes;
use kontor_access::{Caller, audit};
use kontor_db::publishers::{self, Publisher};
use kontor_db::runs::{self, EventKind, FileWay, NewRun, Run, RunFile};
use kontor_jobs::NewJob;
use kontor_package::{ByteSize, Content, Limits, MANIFEST_FILE, Manifest, NetworkGrant, Permissions, WallTime};
use kontor_registry::secrets::SecretRef;
use kontor_registry::{Allowance, Found, Keep, Registry};
use kontor_runs::{CallerGrants, Decision, Entry, Granted, OverlayRef, Schema, beyond, scripts};
use kontor_types::{Handle, JobId, Role, RunId, Scope, SkillRef};
use serde_json::{Value, json};

use crate::asked::{Asked, INPUT};
use crate::kept::Kept;
use crate::runs::KIND;
use crate::{Error, Runs, quota};

/// How often the job is tried: a run ends by its own count long before.
const TRIES: u32 = 1_000;

/// What of a skill is run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Named {
    /// The only tool that it declares.
    #[default]
    OnlyTool,
    /// The tool of this name.
    Tool(String),
    /// The script at this path.
    Script(String),
}

/// A file that a run is given in its work folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenFile {
    /// Its name; no path.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// What the caller has read and agrees to although neither the manifest nor the publisher's overlay asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// Hosts and ports.
    pub network: Vec<NetworkGrant>,
    /// Names of secrets.
    pub secrets: Vec<String>,
    /// Packages that only imports of the script speak of.
    pub packages: Vec<String>,
    /// How long that is remembered for this version; nothing for this run alone.
    pub remember: Option<Keep>,
}

/// A run that somebody asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartRun {
    /// The id that it gets, for those who may ask twice: the second time is answered with the run that is there.
    pub id: Option<RunId>,
    /// In whose name it runs; the caller's own unless given.
    pub publisher: Option<Handle>,
    /// What of the skill is run.
    pub entry: Named,
    /// What the program is told.
    pub arguments: Vec<String>,
    /// What it reads on its standard input.
    pub input: Option<Bytes>,
    /// What it finds in its work folder.
    pub files: Vec<GivenFile>,
    /// Whether it gets what the manifest or the overlay asks for, without naming it.
    pub as_declared: bool,
    /// Hosts and ports that are granted.
    pub network: Vec<NetworkGrant>,
    /// Secrets that are granted.
    pub secrets: Vec<String>,
    /// Another limit of time.
    pub wall: Option<WallTime>,
    /// Another limit of memory.
    pub memory: Option<ByteSize>,
    /// What the caller agrees to beyond what is declared.
    pub consent: Consent,
}

/// Everything that acceptance found out.
struct Checked {
    found: Found,
    publisher: Publisher,
    entry: Entry,
    asked: Asked,
    /// What it gets beyond what is declared.
    beyond: Allowance,
}

impl Runs {
    /// Accepts a run of a version, which is resolved now: when this returns, the run is on disk and will be done.
    ///
    /// # Errors
    /// [`Error::Access`] without scope `run`; [`Error::Registry`] for what the caller may not see or run;
    /// [`Error::Consent`], [`Error::Ceiling`], [`Error::Quota`], [`Error::Invalid`], [`Error::Run`].
    pub async fn start(&self, caller: &Caller, skill: &SkillRef, start: &StartRun) -> Result<Run, Error> {
        self.accept(caller, skill, start, None, None).await
    }

    /// The same; what is answered is written down in the transaction that accepts the run, so that whoever asks again with
    /// the same key is answered even when nobody lived to answer the first time.
    ///
    /// # Errors
    /// As [`Runs::start`].
    pub async fn start_kept(
        &self,
        caller: &Caller,
        skill: &SkillRef,
        start: &StartRun,
        kept: Option<&Kept>,
    ) -> Result<Run, Error> {
        self.accept(caller, skill, start, None, kept).await
    }

    /// Does a run that is over again, as it was asked for, if it may still be done. It is another run.
    ///
    /// # Errors
    /// As [`Runs::start`]; [`Error::Conflict`] for a run that is not over or whose files are kept no longer.
    pub async fn retry(&self, caller: &Caller, id: RunId) -> Result<Run, Error> {
        self.retry_kept(caller, id, None).await
    }

    /// The same, with an answer that is kept as in [`Runs::start_kept`].
    ///
    /// # Errors
    /// As [`Runs::retry`].
    pub async fn retry_kept(&self, caller: &Caller, id: RunId, kept: Option<&Kept>) -> Result<Run, Error> {
        let run = self.show(caller, id).await?;
        if !run.state.is_over() {
            let hint = "wait until it is over, or cancel it first";
            return Err(Error::Conflict { detail: format!("the run is {}", run.state), hint });
        }
        if run.forgotten_at.is_some() {
            let hint = "start it anew";
            return Err(Error::Conflict { detail: "what it was given is kept no longer".to_owned(), hint });
        }
        let start = self.repeated(&run).await?;
        let skill: SkillRef = run.skill.parse().map_err(|_| Error::NotFound)?;
        self.accept(caller, &skill, &start, Some(&run), kept).await
    }

    /// What was asked for in a run, to be asked for again.
    async fn repeated(&self, run: &Run) -> Result<StartRun, Error> {
        let asked: Asked = serde_json::from_value(run.asked.clone()).map_err(|_| Error::NotFound)?;
        let given = runs::files(&mut self.read().await?, run.id, FileWay::In).await?;
        let mut start = StartRun {
            publisher: Some(run.publisher.clone()),
            entry: if asked.tool { Named::Tool(run.entry.clone()) } else { Named::Script(run.entry.clone()) },
            arguments: asked.arguments,
            network: asked.granted.network.clone(),
            secrets: asked.granted.secrets.clone(),
            wall: format!("{}ms", asked.granted.wall_ms).parse().ok(),
            memory: format!("{}B", asked.granted.memory).parse().ok(),
            // What was granted then was consented to then.
            consent: Consent {
                network: asked.granted.network,
                secrets: asked.granted.secrets,
                packages: asked.packages,
                remember: None,
            },
            ..StartRun::default()
        };
        for file in given {
            let bytes = self.0.parts.blobs.get(&file.digest).await?;
            if file.path == INPUT {
                start.input = Some(bytes);
            } else {
                start.files.push(GivenFile { name: file.path, bytes });
            }
        }
        Ok(start)
    }

    async fn accept(
        &self,
        caller: &Caller,
        skill: &SkillRef,
        start: &StartRun,
        again: Option<&Run>,
        kept: Option<&Kept>,
    ) -> Result<Run, Error> {
        caller.require(Scope::Run)?;
        let person = caller.require_person()?;
        bounds::held(start)?;
        if let Some(id) = start.id
            && let Some(known) = runs::by_id(&mut self.read().await?, id).await?
        {
            return if known.person_id == person { Ok(known) } else { Err(Error::NotFound) };
        }
        let checked = self.check(caller, skill, start, again).await?;
        let files = self.keep_given(start).await?;
        let now = self.now();
        let new = NewRun {
            id: start.id.unwrap_or_else(|| RunId::new(now)),
            publisher_id: checked.publisher.id,
            person_id: person,
            skill: checked.found.reference().to_string(),
            skill_id: checked.found.skill.id,
            version_id: checked.found.version.id,
            digest: checked.found.version.digest,
            entry: checked.entry.name().to_owned(),
            asked: serde_json::to_value(&checked.asked).unwrap_or_default(),
            job_id: JobId::new(now),
            retry_of: again.map(|run| run.id),
            now,
        };
        let id = new.id;
        let (caller, settings, publisher) = (caller.clone(), self.settings().clone(), checked.publisher.id);
        let keep = start.consent.remember.filter(|_| !checked.beyond.is_empty());
        let (found, beyond) = (checked.found, checked.beyond);
        let kept = kept.cloned();
        self.write(move |tx| {
            let (caller, settings, mut new, files) = (caller.clone(), settings.clone(), new.clone(), files.clone());
            let (found, beyond, kept) = (found.clone(), beyond.clone(), kept.clone());
            Box::pin(async move {
                // The same order, sent twice at once: the second finds what the first has written.
                if let Some(known) = runs::by_id(tx, id).await? {
                    return if known.person_id == person { Ok(()) } else { Err(Error::NotFound) };
                }
                quota::require(tx, &settings, person, publisher, now).await?;
                let job = NewJob {
                    kind: KIND.to_owned(),
                    key: Some(id.to_string()),
                    payload: json!({ "run": id }),
                    run_at: now,
                    max_attempts: TRIES,
                };
                let queued = kontor_jobs::enqueue(tx, &job, now).await?;
                new.job_id = queued.unwrap_or(new.job_id);
                runs::insert(tx, &new).await?;
                for (file, way) in &files {
                    runs::add_file(tx, id, *way, file, now).await?;
                }
                runs::record(tx, id, EventKind::State, &json!({ "state": "queued" }), now).await?;
                let action = if new.retry_of.is_some() { "run.retry" } else { "run.start" };
                let detail = json!({ "run": id, "digest": new.digest, "entry": new.entry });
                let event = audit::Event::new(action, new.skill.clone()).publisher(publisher).detail(detail);
                audit::record(tx, &caller, event, now).await?;
                if let Some(keep) = keep {
                    Registry::remember(tx, &caller, &found, beyond, keep, now).await?;
                }
                if let Some(kept) = kept {
                    let run = runs::by_id(tx, id).await?.ok_or(Error::NotFound)?;
                    kept.keep(tx, &run).await?;
                }
                Ok(())
            })
        })
        .await?;
        self.0.queued.notify_waiters();
        runs::by_id(&mut self.read().await?, id).await?.ok_or(Error::NotFound)
    }

    /// Whether the caller may run this, and what exactly.
    async fn check(
        &self,
        caller: &Caller,
        skill: &SkillRef,
        start: &StartRun,
        again: Option<&Run>,
    ) -> Result<Checked, Error> {
        let publisher = self.in_name_of(caller, start.publisher.as_ref()).await?;
        let registry = &self.0.parts.registry;
        let found = registry.version(caller.viewer(), skill).await?;
        if again.is_some_and(|run| run.digest != found.version.digest) {
            let hint = "start a run of the version that is there now";
            return Err(Error::Conflict { detail: format!("{skill} is no longer what was run"), hint });
        }
        registry.may_run(caller, &found).await?;
        let content = self.content(&found).await?;
        let declared = self.declared(caller, &publisher, &found, &content).await?;
        let entry = entry(&start.entry, &content, &declared.manifest)?;
        fits(&entry, &content, start)?;
        let remembered = registry.remembered(caller, &found).await?;
        let (may, more, how) = self.granted(&declared, start, &remembered)?;
        let secrets = self.promised(caller, &publisher, &found, &may).await?;
        let decision = self.decision(caller, &found, how).await?;
        let asked = Asked {
            tool: entry.is_tool(),
            arguments: start.arguments.clone(),
            input: start.input.is_some(),
            granted: may,
            secrets,
            packages: [&start.consent.packages[..], &remembered.packages].concat(),
            decision,
            overlay: declared.overlay,
        };
        let beyond = Allowance {
            network: more.network.iter().map(ToString::to_string).collect(),
            secrets: more.secrets,
            packages: start.consent.packages.clone(),
        };
        Ok(Checked { found, publisher, entry, asked, beyond })
    }

    /// The publisher in whose name the caller runs something.
    pub(crate) async fn in_name_of(&self, caller: &Caller, named: Option<&Handle>) -> Result<Publisher, Error> {
        let own = caller.person.as_ref().map(|(_, handle)| handle);
        let handle = named.or(own).ok_or(kontor_access::Error::Unauthenticated)?;
        let found = publishers::find(&mut self.read().await?, caller.viewer(), handle).await?;
        let missing = || kontor_registry::Error::PublisherNotFound { handle: handle.clone() };
        let publisher = found.ok_or_else(missing)?;
        caller.require_role(publisher.id, Role::Member, Scope::Run)?;
        Ok(publisher)
    }

    pub(crate) async fn content(&self, found: &Found) -> Result<Content, Error> {
        let bytes = self.0.parts.registry.archive_bytes(&found.version).await?;
        let content = tokio::task::spawn_blocking(move || Content::from_archive(&bytes, &Limits::CEILING)).await;
        let content = content.map_err(|_| kontor_registry::Error::Interrupted)?;
        Ok(content.map_err(kontor_registry::Error::from)?)
    }

    /// What the author's manifest says, or the publisher's overlay in its place.
    pub(crate) async fn declared(
        &self,
        caller: &Caller,
        publisher: &Publisher,
        found: &Found,
        content: &Content,
    ) -> Result<Declared, Error> {
        let own = manifest(content);
        let name = SkillRef::new(found.skill.publisher.clone(), found.skill.slug.clone());
        let chain = self.0.parts.registry.overlays(caller, &publisher.handle, &name).await?;
        let Some(newest) = chain.first() else { return Ok(Declared { manifest: own, overlay: None }) };
        let laid = Manifest::read(&newest.manifest).0.unwrap_or_default();
        let number = u32::try_from(chain.len()).unwrap_or(u32::MAX);
        let overlay = Some(OverlayRef { digest: newest.digest, number });
        // An overlay speaks of what a run may do; which tools there are only the author's files say.
        let manifest = Manifest { permissions: laid.permissions, limits: laid.limits, ..own };
        Ok(Declared { manifest, overlay })
    }

    /// What the run gets: what is declared or consented to, now or before, within the ceiling, as far as the caller grants it;
    /// and what of that is beyond what is declared.
    fn granted(
        &self,
        declared: &Declared,
        start: &StartRun,
        remembered: &Allowance,
    ) -> Result<(Granted, Permissions, &'static str), Error> {
        let permissions = &declared.manifest.permissions;
        let mut caller = CallerGrants {
            network: start.network.clone(),
            secrets: start.secrets.clone(),
            wall: start.wall,
            memory: start.memory,
            ..CallerGrants::default()
        };
        if start.as_declared {
            take_over(permissions, &mut caller);
        }
        let more = beyond(permissions, &caller);
        let nothing = Allowance::default();
        let named = unconsented(&more, &start.consent, &nothing);
        let missing = unconsented(&more, &start.consent, remembered);
        if !missing.is_empty() {
            return Err(Error::Consent { missing });
        }
        let consent = match (more == Permissions::default(), named.is_empty()) {
            (true, _) => "declared",
            (false, true) => "flag",
            (false, false) => "stored",
        };
        let mut whole = permissions.clone();
        whole.network.extend(more.network.iter().cloned());
        whole.secrets.extend(more.secrets.iter().cloned());
        let granted = Granted::of(&whole, &declared.manifest.limits, &self.settings().ceiling, &caller);
        if let Some(beyond) = start.network.iter().find(|grant| !granted.allows(grant.host(), grant.port())) {
            return Err(Error::Ceiling { what: beyond.to_string() });
        }
        if let Some(beyond) = start.secrets.iter().find(|name| !granted.secrets.contains(name)) {
            return Err(Error::Ceiling { what: format!("the secret {beyond}") });
        }
        Ok((granted, more, consent))
    }

    /// The settings of granted secrets that this run will get, if it may have them.
    async fn promised(
        &self,
        caller: &Caller,
        publisher: &Publisher,
        found: &Found,
        granted: &Granted,
    ) -> Result<Vec<SecretRef>, Error> {
        if granted.secrets.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.0.parts.secrets.promise(caller, &publisher.handle, found, &granted.secrets).await?)
    }

    async fn decision(&self, caller: &Caller, found: &Found, consent: &str) -> Result<Decision, Error> {
        let registry = &self.0.parts.registry;
        let explained = registry.explain(caller, found).await?;
        let assessment = registry.assessment(&found.version).await?;
        Ok(Decision {
            by: "hub".to_owned(),
            under: explained.policy,
            verdict: assessment.scan.map(|scan| scan.verdict.as_str().to_owned()).unwrap_or_default(),
            reasons: explained.decided.reasons.into_iter().map(|reason| reason.text).collect(),
            consent: consent.to_owned(),
            waived: Vec::new(),
        })
    }

    /// Puts what the caller gives into the blob store; rows point to it when the run is written down.
    async fn keep_given(&self, start: &StartRun) -> Result<Vec<(RunFile, FileWay)>, Error> {
        let input = start.input.iter().map(|bytes| (INPUT, bytes));
        let files = start.files.iter().map(|file| (file.name.as_str(), &file.bytes));
        let mut kept = Vec::new();
        for (name, bytes) in input.chain(files) {
            let digest = self.0.parts.blobs.put(bytes.clone()).await?;
            kept.push((RunFile { path: name.to_owned(), size: bytes.len() as u64, digest }, FileWay::In));
        }
        Ok(kept)
    }
}

/// What a run may ask for without anybody's consent, and who says so.
pub(crate) struct Declared {
    pub(crate) manifest: Manifest,
    pub(crate) overlay: Option<OverlayRef>,
}

/// Grants what is declared; bounds are no grants.
pub(crate) fn take_over(permissions: &Permissions, caller: &mut CallerGrants) {
    let named = permissions.network.iter().filter(|grant| !grant.host().starts_with("*."));
    caller.network.extend(named.cloned());
    caller.secrets.extend(permissions.secrets.iter().cloned());
}

pub(crate) fn manifest(content: &Content) -> Manifest {
    let text = content.get(MANIFEST_FILE).and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.and_then(|text| Manifest::read(text).0).unwrap_or_default()
}

fn entry(named: &Named, content: &Content, manifest: &Manifest) -> Result<Entry, Error> {
    match named {
        Named::Script(path) => Ok(Entry::script(content, path)?),
        Named::Tool(name) => Ok(Entry::tool(manifest, name)?),
        Named::OnlyTool => match manifest.tools.as_slice() {
            [tool] => Ok(Entry::Tool(tool.clone())),
            [] => {
                let known = scripts(content);
                let known: Vec<&str> = known.iter().take(20).map(String::as_str).collect();
                Err(Error::invalid(match known.as_slice() {
                    [] => "this skill has no tools and no scripts, only texts for an agent to read".to_owned(),
                    known => format!("name a script: {}", known.join(", ")),
                }))
            }
            tools => {
                let known: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
                Err(Error::invalid(format!("name a tool: {}", known.join(", "))))
            }
        },
    }
}

/// Whether a tool's input fits its schema.
fn fits(entry: &Entry, content: &Content, start: &StartRun) -> Result<(), Error> {
    let Entry::Tool(tool) = entry else { return Ok(()) };
    let Some(path) = &tool.input else { return Ok(()) };
    let schema = Schema::of(content, path)?;
    let input: Value = serde_json::from_slice(start.input.as_deref().unwrap_or_default()).map_err(|error| {
        Error::invalid(format!("the tool `{}` takes JSON, and the input is none: {error}", tool.name))
    })?;
    schema.check(&input)?;
    Ok(())
}

/// What of `more` the caller agrees to neither now nor from before.
fn unconsented(more: &Permissions, consent: &Consent, before: &Allowance) -> Vec<String> {
    let known = |grant: &NetworkGrant| before.network.contains(&grant.to_string());
    let network = more.network.iter().filter(|grant| !consent.network.contains(grant) && !known(grant));
    let secrets = more.secrets.iter();
    let secrets = secrets.filter(|name| !consent.secrets.contains(name) && !before.secrets.contains(name));
    network.map(ToString::to_string).chain(secrets.map(|name| format!("the secret {name}"))).collect()
}
