use std::path::PathBuf;

use kontor_access::Caller;
use kontor_db::runs;
use kontor_package::Content;
use kontor_registry::Found;
use kontor_runs::{Building, Entry, Layer, Layers, Lock, Program, Wanted};
use kontor_types::SkillRef;

use super::{Attempt, Stop};
use crate::Error;
use crate::accept::manifest;

/// Everything that a program needs before it is started.
pub(crate) struct Prepared {
    pub found: Found,
    pub content: Content,
    pub entry: Entry,
    pub program: Program,
    pub lock: Lock,
    pub layer: Layer,
}

impl Attempt {
    /// Brings what the program needs, and writes down which packages that are.
    pub(super) async fn prepare(&self) -> Result<Prepared, Stop> {
        self.enter(false).await?;
        let (found, content) = self.content().await?;
        let declared = manifest(&content);
        let entry = if self.asked.tool {
            Entry::tool(&declared, &self.run.entry)?
        } else {
            Entry::script(&content, &self.run.entry)?
        };
        // Asking an interpreter about itself blocks.
        let (program, content, entry) = tokio::task::spawn_blocking(move || {
            let program = entry.program(&content);
            (program, content, entry)
        })
        .await
        .map_err(|error| Error::Folder(std::io::Error::other(error)))?;
        let program = program?;
        let layers = self.runs.0.layers.as_ref().ok_or_else(without_sandbox)?;
        let building = Building { install_scripts: false };
        let known = self.run.layer.clone().and_then(|layer| serde_json::from_value::<Lock>(layer).ok());
        let fits = known.filter(|lock| lock.python.as_ref().is_none_or(|python| python.tag == program.tag));
        let (lock, layer) = match fits {
            Some(lock) => {
                let layer = layers.build(&lock, &program, building).await?;
                (lock, layer)
            }
            None => self.resolve(layers, &content, &entry, &program, building).await?,
        };
        let written = serde_json::to_value(&lock).unwrap_or_default();
        let (id, number) = (self.run.id, self.number);
        let held = self.runs.write(move |tx| {
            let written = written.clone();
            Box::pin(async move { Ok(runs::prepared(tx, id, number, &written).await?) })
        });
        if !held.await? {
            return Err(Stop::Taken);
        }
        Ok(Prepared { found, content, entry, program, lock, layer })
    }

    async fn resolve(
        &self,
        layers: &Layers,
        content: &Content,
        entry: &Entry,
        program: &Program,
        building: Building,
    ) -> Result<(Lock, Layer), Stop> {
        let wanted = match entry.file(content) {
            Some(file) => Wanted::of(content, file, program, &manifest(content).dependencies)?,
            None => Wanted::default(),
        };
        if wanted.is_empty() {
            return Ok((Lock::default(), Layer::default()));
        }
        if !self.runs.settings().packages {
            return Err(Error::Ceiling { what: "packages of others".to_owned() }.into());
        }
        let all = wanted.python.iter().chain(&wanted.node);
        let guessed = all.filter(|asked| asked.guessed && !self.asked.packages.contains(&asked.text));
        let missing: Vec<String> = guessed.map(|asked| format!("the package {}", asked.text)).collect();
        if !missing.is_empty() {
            return Err(Error::Consent { missing }.into());
        }
        Ok(layers.lock(&wanted, program, building).await?)
    }

    /// The bytes that were pinned when the run was accepted, as long as they are admitted.
    async fn content(&self) -> Result<(Found, Content), Stop> {
        let registry = &self.runs.0.parts.registry;
        let name: SkillRef = self.run.skill.parse().map_err(|_| Error::NotFound)?;
        let found = registry.version(Caller::hub().viewer(), &name).await.map_err(Error::from)?;
        if found.version.digest != self.run.digest {
            let detail = format!("{name} is no longer what was asked for");
            return Err(Error::Conflict { detail, hint: "start it anew" }.into());
        }
        registry.require_admitted(&found).map_err(Error::from)?;
        if found.version.hidden_at.is_some() || found.skill.hidden_at.is_some() {
            let detail = format!("{name} was hidden since the run was accepted");
            return Err(Error::Conflict { detail, hint: "ask the hub's operator" }.into());
        }
        let content = self.runs.content(&found).await?;
        Ok((found, content))
    }

    /// A folder for what this run has on this machine; it goes with the value.
    pub(super) fn room(&self) -> Result<tempfile::TempDir, Stop> {
        let rooms: PathBuf = self.runs.settings().folder.join("rooms").join(std::process::id().to_string());
        let made = std::fs::create_dir_all(&rooms)
            .and_then(|()| tempfile::Builder::new().prefix(&self.run.id.to_string()).tempdir_in(&rooms));
        Ok(made.map_err(Error::Folder)?)
    }
}

pub(super) fn without_sandbox() -> Error {
    Error::Folder(std::io::Error::other("this process has no launcher for sandboxes"))
}
