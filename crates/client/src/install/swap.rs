use std::fs::File;
use std::path::{Path, PathBuf};

use kontor_package::Content;
use kontor_types::Digest;
use tempfile::TempDir;

use super::recover::{DONE, Intent, NEW, OLD};
use super::site::Site;
use crate::error::Error;

/// Changes of folders that happen together: all are prepared, then swapped in, and undone when one fails.
#[derive(Debug)]
pub struct Swap<'a> {
    site: &'a Site,
    steps: Vec<Step>,
}

/// One folder that is to be replaced or removed.
#[derive(Debug)]
struct Step {
    folder: PathBuf,
    /// Beside the folder, so that moving is one rename: `new` is what comes, `old` what was there.
    workshop: TempDir,
    comes: bool,
    moved_old: bool,
    moved_new: bool,
    /// Locked for as long as this process works here, so that nobody takes the workshop for a leftover.
    _intent: File,
}

impl<'a> Swap<'a> {
    /// No changes yet.
    pub const fn at(site: &'a Site) -> Self {
        Self { site, steps: Vec::new() }
    }

    /// Prepares `folder` to hold exactly `content`, whose digest this is.
    pub fn replace(&mut self, folder: &Path, content: &Content, digest: Digest) -> Result<(), Error> {
        let step = self.step(folder, Some(digest))?;
        let new = step.workshop.path().join(NEW);
        std::fs::create_dir(&new).map_err(|error| Error::io("make", &new, error))?;
        for (path, bytes) in content.files() {
            let place = new.join(path);
            if let Some(parent) = place.parent() {
                std::fs::create_dir_all(parent).map_err(|error| Error::io("make", parent, error))?;
            }
            std::fs::write(&place, bytes).map_err(|error| Error::io("write", &place, error))?;
        }
        self.steps.push(step);
        Ok(())
    }

    /// Prepares to remove `folder`.
    pub fn remove(&mut self, folder: &Path) -> Result<(), Error> {
        let step = self.step(folder, None)?;
        self.steps.push(step);
        Ok(())
    }

    /// Swaps everything in. `seal` is the last step, after which the change counts; when it or any swap fails,
    /// everything is as before.
    pub fn commit(mut self, seal: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let outcome = self.steps.iter_mut().try_for_each(Step::swap).and_then(|()| seal());
        if outcome.is_err() {
            for step in self.steps.iter_mut().rev() {
                step.undo();
            }
            return outcome;
        }
        for step in &self.steps {
            step.finish();
        }
        Ok(())
    }

    fn step(&self, folder: &Path, comes: Option<Digest>) -> Result<Step, Error> {
        let workshop = workshop_beside(folder)?;
        let intent = Intent::new(self.site, folder, comes).write(workshop.path())?;
        let folder = folder.to_owned();
        Ok(Step { folder, workshop, comes: comes.is_some(), moved_old: false, moved_new: false, _intent: intent })
    }
}

impl Step {
    fn swap(&mut self) -> Result<(), Error> {
        match std::fs::rename(&self.folder, self.workshop.path().join(OLD)) {
            Ok(()) => self.moved_old = true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("move away", &self.folder, error)),
        }
        if self.comes {
            let new = self.workshop.path().join(NEW);
            std::fs::rename(new, &self.folder).map_err(|error| Error::io("put in place", &self.folder, error))?;
            self.moved_new = true;
        }
        Ok(())
    }

    fn undo(&mut self) {
        let mut clean = true;
        if self.moved_new {
            clean &= std::fs::rename(&self.folder, self.workshop.path().join(NEW)).is_ok();
        }
        if self.moved_old {
            clean &= std::fs::rename(self.workshop.path().join(OLD), &self.folder).is_ok();
        }
        if !clean {
            // What could not be moved back stays in the workshop rather than being removed with it.
            self.workshop.disable_cleanup(true);
            tracing::error!(folder = %self.folder.display(), kept = %self.workshop.path().display(), "a change could not be undone");
        }
    }

    /// Says in one move that what was there is no longer needed: removing it takes many.
    fn finish(&self) {
        if self.moved_old {
            let workshop = self.workshop.path();
            if let Err(error) = std::fs::rename(workshop.join(OLD), workshop.join(DONE)) {
                tracing::debug!(%error, folder = %self.folder.display(), "what was replaced could not be marked");
            }
        }
    }
}

fn workshop_beside(folder: &Path) -> Result<TempDir, Error> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(|error| Error::io("make", parent, error))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let made = tempfile::Builder::new().prefix(&format!(".kontor-{name}-")).tempdir_in(parent);
    made.map_err(|error| Error::io("make a folder in", parent, error))
}

#[cfg(test)]
mod tests;
