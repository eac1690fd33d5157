use std::collections::BTreeMap;

use futures::StreamExt as _;
use kontor_package::Discovered;
use kontor_types::{Code, Handle};
use kontor_wire::{ImportItem, NewPublisher};

use super::{Ownership, ends_everything, refusal};
use crate::api::Client;
use crate::error::Error;

/// The publishers of an import: there, or why not.
#[derive(Debug, Default)]
pub struct Publishers(BTreeMap<Handle, Result<(), ImportItem>>);

impl Publishers {
    /// Makes sure that the publishers of all skills are there, making those that are missing.
    pub async fn prepare(&mut self, client: &Client, owner: &Ownership, skills: &[Discovered]) -> Result<(), Error> {
        let mut wanted: BTreeMap<Handle, String> = BTreeMap::new();
        for skill in skills {
            if let Some((handle, name)) = handle_of(owner, &skill.path)
                && !self.0.contains_key(&handle)
            {
                wanted.entry(handle).or_insert(name);
            }
        }
        if let Ownership::One(handle) = owner {
            if wanted.contains_key(handle) {
                ensure(client, handle, None).await?;
                self.0.insert(handle.clone(), Ok(()));
            }
            return Ok(());
        }
        let outcomes: Vec<(Handle, Result<(), Error>)> = futures::stream::iter(wanted)
            .map(|(handle, name)| async move {
                let outcome = ensure(client, &handle, Some(name)).await;
                (handle, outcome)
            })
            .buffer_unordered(super::IN_FLIGHT)
            .collect()
            .await;
        for (handle, outcome) in outcomes {
            let known = match outcome {
                Err(error) if ends_everything(&error) => return Err(error),
                Err(error) => Err(refusal(String::new(), &error)),
                Ok(()) => Ok(()),
            };
            self.0.insert(handle, known);
        }
        Ok(())
    }

    /// Who owns the skill at `path`.
    pub fn of(&self, owner: &Ownership, path: &str) -> Result<Handle, Box<ImportItem>> {
        let Some((handle, _)) = handle_of(owner, path) else {
            let problem = kontor_types::Problem::new(
                Code::InvalidRequest,
                "it lies at the root, so no top folder names its publisher",
            )
            .hint("import it with --publisher");
            return Err(Box::new(refusal(path.to_owned(), &Error::from_problem(problem))));
        };
        match self.0.get(&handle) {
            Some(Err(item)) => Err(Box::new(ImportItem { path: path.to_owned(), ..item.clone() })),
            _ => Ok(handle),
        }
    }
}

/// The publisher of a path, and the name that its folder has for people.
fn handle_of(owner: &Ownership, path: &str) -> Option<(Handle, String)> {
    match owner {
        Ownership::One(handle) => Some((handle.clone(), handle.to_string())),
        Ownership::TopFolder => {
            let top = path.split('/').next().filter(|top| !top.is_empty())?;
            Some((Handle::fold(top), top.to_owned()))
        }
    }
}

async fn ensure(client: &Client, handle: &Handle, name: Option<String>) -> Result<(), Error> {
    match client.publisher(handle).await {
        Err(error) if error.code() == Some(Code::PublisherNotFound) || error.code() == Some(Code::NotFound) => {}
        other => return other.map(drop),
    }
    match client.create_publisher(&NewPublisher { handle: handle.clone(), name }).await {
        Err(error) if error.code() == Some(Code::NameTaken) => Ok(()),
        other => other.map(drop),
    }
}
