use std::path::{Path, PathBuf};

use kontor_package::Content;
use tempfile::TempDir;

use crate::error::Error;

/// Changes of folders that happen together: all are prepared, then swapped in, and undone when one fails.
#[derive(Debug, Default)]
pub struct Swap {
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
}

impl Swap {
    /// Prepares `folder` to hold exactly `content`.
    pub fn replace(&mut self, folder: &Path, content: &Content) -> Result<(), Error> {
        let workshop = workshop_beside(folder)?;
        let new = workshop.path().join("new");
        std::fs::create_dir(&new).map_err(|error| Error::io("make", &new, error))?;
        for (path, bytes) in content.files() {
            let place = new.join(path);
            if let Some(parent) = place.parent() {
                std::fs::create_dir_all(parent).map_err(|error| Error::io("make", parent, error))?;
            }
            std::fs::write(&place, bytes).map_err(|error| Error::io("write", &place, error))?;
        }
        self.steps.push(Step { folder: folder.to_owned(), workshop, comes: true, moved_old: false, moved_new: false });
        Ok(())
    }

    /// Prepares to remove `folder`.
    pub fn remove(&mut self, folder: &Path) -> Result<(), Error> {
        let workshop = workshop_beside(folder)?;
        self.steps.push(Step { folder: folder.to_owned(), workshop, comes: false, moved_old: false, moved_new: false });
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
        }
        outcome
    }
}

impl Step {
    fn swap(&mut self) -> Result<(), Error> {
        match std::fs::rename(&self.folder, self.workshop.path().join("old")) {
            Ok(()) => self.moved_old = true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("move away", &self.folder, error)),
        }
        if self.comes {
            let new = self.workshop.path().join("new");
            std::fs::rename(new, &self.folder).map_err(|error| Error::io("put in place", &self.folder, error))?;
            self.moved_new = true;
        }
        Ok(())
    }

    fn undo(&mut self) {
        let mut clean = true;
        if self.moved_new {
            clean &= std::fs::rename(&self.folder, self.workshop.path().join("new")).is_ok();
        }
        if self.moved_old {
            clean &= std::fs::rename(self.workshop.path().join("old"), &self.folder).is_ok();
        }
        if !clean {
            // What could not be moved back stays in the workshop rather than being removed with it.
            self.workshop.disable_cleanup(true);
            tracing::error!(folder = %self.folder.display(), kept = %self.workshop.path().display(), "a change could not be undone");
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
