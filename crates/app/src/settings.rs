use std::path::{Path, PathBuf};

/// Where a hub keeps its things and how much it does at a time.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder for everything that has no other place; the search index and the published log always live here.
    pub data: PathBuf,
    /// The database's address: `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// The blob store: a folder or `s3://BUCKET/PREFIX?endpoint=URL`.
    pub blobs: String,
    /// Signing in.
    pub access: kontor_access::Settings,
    /// Which private addresses the hub may reach when somebody names them.
    pub outbound: kontor_outbound::Policy,
    /// How much one skill may hold.
    pub limits: kontor_package::Limits,
    /// The folder for keys; `keys` in the data folder unless given. Nodes that share a database share it.
    pub key_folder: Option<PathBuf>,
    /// What the transparency log is called when it begins, like `skills.example.com/log`; made of its key unless given.
    pub log_name: Option<String>,
    /// The program and its arguments that scan in processes of their own; without it scans run in this process.
    pub scanner: Option<(PathBuf, Vec<String>)>,
    /// The program and its arguments that run what is taken in, to see what it does; without it nothing is run.
    pub detonator: Option<(PathBuf, Vec<String>)>,
    /// Jobs done side by side; 0 leaves them to other processes.
    pub workers: usize,
    /// What the operator sets about runs of skills.
    pub runs: kontor_dispatch::Settings,
    /// Providers of models.
    pub models: kontor_gateway::Settings,
    /// What the operator sets about workflows.
    pub workflows: kontor_workflow::Settings,
    /// Workflows done side by side; 0 leaves them to other processes.
    pub workflow_workers: usize,
    /// What the operator sets about errands.
    pub errands: kontor_agents::Settings,
    /// Runs done side by side; 0 leaves them to other processes.
    pub run_workers: usize,
}

impl Settings {
    /// Everything in one folder.
    pub fn in_folder(data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        Self {
            database: format!("sqlite:{}", data.join("kontor.db").display()),
            blobs: data.join("blobs").display().to_string(),
            access: kontor_access::Settings::default(),
            outbound: kontor_outbound::Policy::default(),
            limits: kontor_package::Limits::default(),
            key_folder: None,
            log_name: None,
            scanner: None,
            detonator: None,
            workers: 2,
            runs: kontor_dispatch::Settings::in_folder(data.join("runs")),
            models: kontor_gateway::Settings::default(),
            workflows: kontor_workflow::Settings::default(),
            workflow_workers: 16,
            errands: kontor_agents::Settings::default(),
            run_workers: 2,
            data,
        }
    }

    pub(crate) fn index_folder(&self) -> PathBuf {
        self.data.join("index")
    }

    /// The folder for keys: never in the database, in a backup only sealed.
    pub fn keys(&self) -> PathBuf {
        self.key_folder.clone().unwrap_or_else(|| self.data.join("keys"))
    }

    /// Where the transparency log is published.
    pub(crate) fn log_folder(&self) -> PathBuf {
        self.data.join("log")
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.data
    }
}
