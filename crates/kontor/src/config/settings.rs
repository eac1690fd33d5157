use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::values::{Bytes, list};

/// One key of the configuration, for `--explain`, the environment and the reference.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its place in the file: `listen`, `limits.files`.
    pub path: String,
    /// What it does.
    pub about: String,
}

impl Key {
    /// The variable that sets it.
    pub fn variable(&self) -> String {
        format!("KONTOR_{}", self.path.replace('.', "_").to_ascii_uppercase())
    }
}

/// Makes a section of the configuration with its defaults and its list of keys from one text.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $name:ident {
            $($(#[doc = $doc:literal])* $(#[serde($($serde:tt)*)])? $key:ident: $type:ty = $default:expr,)*
        }
        $(sections { $($inner:ident: $inner_type:ident,)* })?
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[doc = $doc])* $(#[serde($($serde)*)])? pub $key: $type,)*
            $($(
                #[doc = concat!("The section `[", stringify!($inner), "]`.")]
                pub $inner: $inner_type,
            )*)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default,)* $($($inner: $inner_type::default(),)*)? }
            }
        }

        impl $name {
            /// Adds the keys of this section, each path beginning with `prefix`.
            fn list_keys(prefix: &str, keys: &mut Vec<Key>) {
                $(keys.push(Key {
                    path: format!("{prefix}{}", stringify!($key)),
                    about: [$($doc),*].concat().trim().to_owned(),
                });)*
                $($($inner_type::list_keys(concat!(stringify!($inner), "."), keys);)*)?
            }
        }
    };
}

section! {
    /// How one hub runs.
    Config {
        /// The folder that holds everything the hub keeps: database, blobs, search index, keys and tokens.
        data: PathBuf = default_data(),
        /// The address to listen on; port 0 takes a free one.
        listen: String = "127.0.0.1:7878".to_owned(),
        /// The hub's absolute address as clients see it, for example `https://skills.example.com`; from `listen` when empty.
        public_url: String = String::new(),
        /// The database: empty for SQLite in the data folder, or `postgres://user@host/name`.
        database: String = String::new(),
        /// Where blobs are kept: empty for the data folder, a folder, or `s3://bucket/prefix`.
        blobs: String = String::new(),
        /// The folder for the hub's private keys; empty for `keys` in the data folder. Hubs on one database share it.
        key_dir: PathBuf = PathBuf::new(),
        /// Leave out the starter skills on the first start.
        no_starter: bool = false,
        /// Serve plain HTTP on an address that others can reach. Tokens then travel readable; put TLS in front instead.
        insecure_http: bool = false,
        /// Networks of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, for example
        /// `10.0.0.0/8`.
        #[serde(deserialize_with = "list")]
        trusted_proxy: Vec<String> = Vec::new(),
        /// More host names under which the hub may be addressed; its public one always is.
        #[serde(deserialize_with = "list")]
        hosts: Vec<String> = Vec::new(),
        /// Answer `/metrics` to everybody, not only to this machine and to administrators.
        open_metrics: bool = false,
        /// Also run the scripts of what is taken in, in a sandbox among made-up secrets, and decide by what they do (Linux). Turning
        /// it on has the whole catalogue judged again.
        detonate: bool = false,
        /// Background jobs done side by side; 0 leaves them to other processes on the same database.
        workers: u32 = 2,
        /// Seconds that requests under way get when the hub is told to stop.
        drain_seconds: u32 = 20,
        /// What to log: `error`, `warn`, `info`, `debug`, or a filter like `kontor_api=debug,info`.
        log: String = "info".to_owned(),
        /// How to log: `text` for people, `json` for collectors.
        log_format: LogFormat = LogFormat::Text,
        /// Providers of models, each a table `[[provider]]` of the file; the guide on models has its keys.
        provider: Vec<kontor_gateway::Provider> = Vec::new(),
        /// Names of models that lead to certain providers in a certain order, each a table `[[route]]` of the file.
        route: Vec<kontor_gateway::Route> = Vec::new(),
    }
    sections {
        limits: Limits,
        rates: Rates,
        sign_in: SignIn,
        outbound: Outbound,
        runs: Runs,
        errands: Errands,
    }
}

section! {
    /// What people ask for in a sentence.
    Errands {
        /// The model that reads requests; the first that there is when empty.
        model: String = String::new(),
        /// What amounts are in that stand without a mark.
        currency: String = "CNY".to_owned(),
        /// Minutes that a question waits for its answer.
        patience_minutes: u32 = 15,
        /// Workflows done side by side; 0 leaves them to other processes on the same database.
        workers: u32 = 16,
    }
}

section! {
    /// How much one skill may hold.
    Limits {
        /// The most bytes of one file.
        file_bytes: Bytes = Bytes(10 << 20),
        /// The most bytes of all files of a skill.
        skill_bytes: Bytes = Bytes(50 << 20),
        /// The most files of a skill.
        files: u32 = 2_000,
    }
}

section! {
    /// How many requests a minute one token, or one address without a token, may send; 0 is without limit.
    Rates {
        /// Requests that only read.
        read: u32 = 1_200,
        /// Requests that change something.
        write: u32 = 600,
        /// Uploads of files and packages.
        upload: u32 = 1_200,
        /// An administrator's bulk import.
        import: u32 = 60_000,
        /// Calls of models.
        models: u32 = 6_000,
        /// Steps of signing in, counted by address.
        sign_in: u32 = 60,
        /// Limit requests from this machine itself too.
        loopback: bool = false,
    }
}

section! {
    /// Signing in.
    SignIn {
        /// Days that a token lasts unless told otherwise.
        token_days: u32 = 90,
        /// Days that a browser stays signed in.
        session_days: u32 = 14,
        /// Let people who do not administer the hub make organisations.
        anyone_makes_organisations: bool = true,
    }
}

section! {
    /// Which addresses the hub itself may reach: for webhooks and other URLs that somebody else chose.
    Outbound {
        /// Private networks that are allowed all the same, for example `192.168.7.0/24`; every other private, loopback or
        /// metadata address is refused.
        #[serde(deserialize_with = "list")]
        allow: Vec<String> = Vec::new(),
    }
}

section! {
    /// Runs of skills on the hub.
    Runs {
        /// Runs done side by side; 0 leaves them to `kontor worker` on the same database.
        workers: u32 = 2,
        /// Runs of one person that are not over.
        person_open: u32 = 10,
        /// Runs in one publisher's name that are not over.
        publisher_open: u32 = 50,
        /// Runs that one person may start within 24 hours.
        person_daily: u32 = 1_000,
        /// The longest time on the clock that any run gets, for example `10m`.
        wall: String = "10m".to_owned(),
        /// The most memory that any run gets.
        memory: Bytes = Bytes(2 << 30),
        /// Hosts and ports that runs may be granted, for example `*.example.com:443`; empty for any that somebody consents to.
        #[serde(deserialize_with = "list")]
        network: Vec<String> = Vec::new(),
        /// Bring packages of others for runs, from the registries that pip and npm of the workers are set to.
        packages: bool = true,
        /// How often a program is started at most when its workers die.
        executions: u32 = 3,
        /// Days that files of a run, and what it said, are kept; its receipt stays.
        keep_days: u32 = 30,
        /// Run although the machine lacks a part of the sandbox.
        accept_weaker: bool = false,
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line of text each.
    Text,
    /// One JSON object each.
    Json,
}

impl Config {
    /// Every key, in the order of the reference.
    pub fn keys() -> Vec<Key> {
        let mut keys = Vec::new();
        Self::list_keys("", &mut keys);
        keys
    }
}

/// `kontor` below the user's folder for data, or below the working folder when there is none.
fn default_data() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local").join("share")));
    base.unwrap_or_default().join("kontor")
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn every_key_is_explained_and_has_its_own_variable() {
        let keys = Config::keys();
        assert!(keys.iter().all(|key| key.about.ends_with('.')), "{keys:?}");
        let mut variables: Vec<String> = keys.iter().map(super::Key::variable).collect();
        variables.sort();
        variables.dedup();
        assert_eq!(variables.len(), keys.len());
        assert!(variables.contains(&"KONTOR_LIMITS_FILE_BYTES".to_owned()));
    }
}
