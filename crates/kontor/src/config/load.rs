use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use figment::providers::{Format as _, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::settings::{Config, Key};
use crate::exit::UsageError;
use crate::near::distance;
use crate::secrets::{self, Secrets};

/// Where a hub lives and how it is reached; each option also as a variable or a key of the file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Hub")]
pub struct HubFlags {
    /// The folder that holds everything the hub keeps [env: KONTOR_DATA]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The configuration file; `kontor.toml` in the data folder unless told [env: KONTOR_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The database: SQLite in the data folder unless told, or `postgres://…` [env: KONTOR_DATABASE]
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// Where blobs are kept: a folder or `s3://bucket/prefix` [env: KONTOR_BLOBS]
    #[arg(long, value_name = "URL")]
    pub blobs: Option<String>,
    /// Any other key of the configuration, for example `limits.files=500`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

impl HubFlags {
    /// The configuration file that was named.
    pub fn config_file(&self) -> Option<PathBuf> {
        let variable = || std::env::var_os("KONTOR_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from);
        self.config.clone().or_else(variable)
    }

    /// What was given, as (flag, key, value).
    pub fn given(&self) -> Vec<(String, String, String)> {
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        let named = [
            ("data", self.data.as_ref().map(text)),
            ("database", self.database.clone()),
            ("blobs", self.blobs.clone()),
        ];
        let mut given: Vec<_> =
            named.into_iter().filter_map(|(key, value)| Some((format!("--{key}"), key.to_owned(), value?))).collect();
        for pair in &self.set {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            given.push((format!("--set {key}"), key.to_owned(), value.to_owned()));
        }
        given
    }
}

/// The configuration with the source of each value.
#[derive(Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// Key, value and source of each, in the order of the reference; passwords are masked.
    pub explained: Vec<(Key, String, String)>,
    /// What was passed over and should be known.
    pub warnings: Vec<String>,
}

/// Reads the configuration: `flags` as (flag, key, value).
///
/// # Errors
/// A [`UsageError`] that names the key, the value and its source.
pub fn load(flags: &[(String, String, String)], file: Option<&Path>, secrets: &Secrets) -> Result<Loaded, UsageError> {
    let keys = Config::keys();
    let variables = variables(&keys, secrets);
    if let Some((flag, key, _)) = flags.iter().find(|(_, key, _)| !keys.iter().any(|known| known.path == *key)) {
        return Err(UsageError(format!("{flag}: there is no key `{key}`{}", suggestion(key, &keys))));
    }
    let file = match file {
        Some(file) if !file.is_file() => {
            return Err(UsageError(format!("there is no configuration file {}", file.display())));
        }
        Some(file) => Some(file.to_owned()),
        None => Some(data_folder(flags, &variables).join("kontor.toml")).filter(|file| file.is_file()),
    };
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(file) = &file {
        figment = figment.merge(Toml::file_exact(file));
    }
    for (name, key, value) in variables.iter().chain(flags) {
        figment = figment.merge(Given { source: name, key, value });
    }
    let config: Config = figment.extract_lossy().map_err(|error| UsageError(explain_error(error, &keys)))?;
    let explained = keys.into_iter().map(|key| explain(&figment, key)).collect();
    Ok(Loaded { config, explained, warnings: unknown_variables() })
}

fn data_folder(flags: &[(String, String, String)], variables: &[(String, String, String)]) -> PathBuf {
    let given =
        |list: &[(String, String, String)]| list.iter().rfind(|(_, key, _)| key == "data").map(|found| found.2.clone());
    given(flags).or_else(|| given(variables)).map_or_else(|| Config::default().data, PathBuf::from)
}

fn variables(keys: &[Key], secrets: &Secrets) -> Vec<(String, String, String)> {
    let value = |key: &Key| {
        let name = key.variable();
        let value = secrets.get(&name).map(str::to_owned).or_else(|| std::env::var(&name).ok())?;
        Some((name, key.path.clone(), value))
    };
    keys.iter().filter_map(value).filter(|(_, _, value)| !value.is_empty()).collect()
}

/// Variables that mean something to other parts of the command, or to its tests.
const OTHER_VARIABLES: &[&str] = &[
    "KONTOR_CONFIG",
    "KONTOR_REGISTRY",
    "KONTOR_SECRETS_DESCRIPTOR",
    "KONTOR_SHARED",
    "KONTOR_CACHE_HOME",
    "KONTOR_CONFIG_HOME",
    "KONTOR_AGENT",
];

/// A misspelt variable would be silently ignored; one that a container platform sets (`KONTOR_PORT=tcp://…`) must not
/// keep the hub from starting. So these are warnings.
fn unknown_variables() -> Vec<String> {
    let keys = Config::keys();
    let known: BTreeSet<String> = keys.iter().map(Key::variable).collect();
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let unknown = names.filter(|name| {
        name.starts_with("KONTOR_")
            && !name.starts_with("KONTOR_TEST_")
            && !known.contains(name)
            && !OTHER_VARIABLES.contains(&name.as_str())
            && !secrets::NAMES.contains(&name.as_str())
    });
    unknown
        .map(|name| format!("the variable `{name}` sets nothing; `kontor config --explain` lists those that do"))
        .collect()
}

/// One value that was given by name.
struct Given<'a> {
    source: &'a str,
    key: &'a str,
    value: &'a str,
}

impl Provider for Given<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.to_owned())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let mut value = Value::from(self.value);
        for part in self.key.rsplit('.') {
            value = Value::from(Dict::from([(part.to_owned(), value)]));
        }
        Ok(Map::from([(Profile::Default, value.into_dict().unwrap_or_default())]))
    }
}

fn explain(figment: &Figment, key: Key) -> (Key, String, String) {
    let value = figment.find_value(&key.path).ok().map(|value| show(&value)).unwrap_or_default();
    let source = figment.find_metadata(&key.path).map_or_else(|| "default".to_owned(), source_of);
    (key, value, source)
}

fn source_of(metadata: &Metadata) -> String {
    match &metadata.source {
        Some(figment::Source::File(path)) => path.display().to_string(),
        _ if metadata.name.starts_with("KONTOR_") || metadata.name.starts_with("--") => metadata.name.to_string(),
        _ => "default".to_owned(),
    }
}

fn show(value: &Value) -> String {
    let text = match value {
        Value::Array(_, items) => items.iter().map(show).collect::<Vec<_>>().join(","),
        // A table of a list is told by its name alone.
        Value::Dict(_, fields) => fields.get("name").or_else(|| fields.get("model")).map(show).unwrap_or_default(),
        other => other
            .to_i128()
            .map(|number| number.to_string())
            .or_else(|| other.to_u128().map(|number| number.to_string()))
            .or_else(|| other.clone().into_string())
            .or_else(|| other.to_bool().map(|flag| flag.to_string()))
            .unwrap_or_default(),
    };
    mask_password(&text)
}

/// Hides the password of an address.
pub fn mask_password(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            let hidden = url.set_password(Some("***"));
            hidden.map_or_else(|()| "***".to_owned(), |()| url.to_string())
        }
        _ => text.to_owned(),
    }
}

fn explain_error(error: figment::Error, keys: &[Key]) -> String {
    let sources: Vec<String> = error
        .into_iter()
        .map(|error| {
            let source = error.metadata.as_ref().map_or_else(|| "default".to_owned(), source_of);
            let key = error.path.join(".");
            if key.is_empty() {
                return format!("{source}: {}", error.kind.to_string().trim_end());
            }
            match &error.kind {
                figment::error::Kind::UnknownField(..) => {
                    format!("{source}: there is no key `{key}`{}", suggestion(&key, keys))
                }
                kind => format!("{source}: `{key}`: {kind}"),
            }
        })
        .collect();
    sources.join("\n")
}

fn suggestion(key: &str, keys: &[Key]) -> String {
    let near = keys.iter().map(|known| (distance(key, &known.path), &known.path)).min();
    match near {
        Some((steps, known)) if steps <= 3 => format!("; did you mean `{known}`?"),
        _ => "; `kontor config --explain` lists all keys".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Secrets, load, mask_password};

    fn flag(key: &str, value: &str) -> (String, String, String) {
        (format!("--{key}"), key.to_owned(), value.to_owned())
    }

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().to_string_lossy().into_owned();
        std::fs::write(
            folder.path().join("kontor.toml"),
            "log = \"warn\"\nlisten = \"127.0.0.1:1\"\n[limits]\nfiles = 7\n",
        )?;
        let flags = [flag("data", &data), flag("listen", "127.0.0.1:2"), flag("limits.file_bytes", "1MiB")];
        let loaded = load(&flags, None, &Secrets::default())?;
        assert_eq!((loaded.config.listen.as_str(), loaded.config.log.as_str()), ("127.0.0.1:2", "warn"));
        assert_eq!((loaded.config.limits.files, loaded.config.limits.file_bytes.0), (7, 1 << 20));
        let source =
            |path: &str| loaded.explained.iter().find(|(key, _, _)| key.path == path).map(|found| found.2.clone());
        assert_eq!(source("listen").as_deref(), Some("--listen"));
        assert!(source("limits.files").is_some_and(|source| source.ends_with("kontor.toml")));
        assert_eq!(source("blobs").as_deref(), Some("default"));
        Ok(())
    }

    #[test]
    fn unknown_keys_are_errors_that_help() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("own.toml");
        std::fs::write(&file, "lissten = \"127.0.0.1:1\"\n")?;
        let error =
            load(&[], Some(&file), &Secrets::default()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.ends_with("own.toml: there is no key `lissten`; did you mean `listen`?"), "{error}");
        let error = load(&[flag("limits.fils", "1")], None, &Secrets::default()).err().map(|error| error.to_string());
        assert_eq!(
            error.as_deref(),
            Some("--limits.fils: there is no key `limits.fils`; did you mean `limits.files`?")
        );
        let error =
            load(&[flag("limits.files", "many")], None, &Secrets::default()).err().map(|error| error.to_string());
        assert!(
            error.as_deref().is_some_and(|text| text.starts_with("--limits.files: `limits.files`: invalid type")),
            "{error:?}"
        );
        Ok(())
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(mask_password("postgres://a:secret@host/db"), "postgres://a:***@host/db");
        assert_eq!(mask_password("postgres://a@host/db"), "postgres://a@host/db");
    }
}
