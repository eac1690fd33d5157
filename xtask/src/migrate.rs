//! `migrate new NAME`: an empty migration of the next number for each database.

use std::fs;

use anyhow::{Result, bail};

use crate::shell;

/// What to do with migrations.
#[derive(Debug, clap::Subcommand)]
pub enum Migrate {
    /// Make both files of a new migration
    New {
        /// What it does, in words joined by underscores
        name: String,
    },
}

/// Makes the files and prints their paths.
pub fn run(migrate: &Migrate) -> Result<()> {
    let Migrate::New { name } = migrate;
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !name.split('_').all(is_word) {
        bail!("`{name}` is no name for a migration; use lower-case words joined by underscores");
    }
    let folder = shell::root().join("crates/db/migrations");
    let number =
        next(&fs::read_dir(folder.join("sqlite"))?.flatten().map(|entry| entry.file_name()).collect::<Vec<_>>());
    for database in ["sqlite", "postgres"] {
        let path = folder.join(database).join(format!("{number:04}_{name}.sql"));
        fs::write(&path, format!("-- {}.\n", name.replace('_', " ")))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn next(names: &[impl AsRef<std::ffi::OsStr>]) -> u32 {
    let numbers = names.iter().filter_map(|name| name.as_ref().to_str()?.split_once('_')?.0.parse::<u32>().ok());
    numbers.max().unwrap_or_default().saturating_add(1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_next_number_follows_the_highest() {
        assert_eq!(super::next(&["0001_foundation.sql", "0010_more.sql", "README.md"]), 11);
        assert_eq!(super::next(&[""; 0]), 1);
    }
}
