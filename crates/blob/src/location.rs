use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use crate::error::{Error, Result};

/// Where blobs lie: a folder of this machine, or a bucket of an S3 service.
///
/// Written as a path, or as `s3://BUCKET/PREFIX?endpoint=URL&region=NAME`. Credentials come from the usual `AWS_…`
/// variables or the machine's own identity, never from the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder; made when absent.
    Folder(PathBuf),
    /// A bucket, which must exist.
    Bucket {
        /// The bucket's name.
        name: String,
        /// What stands before each key, without slashes at its ends; empty for none.
        prefix: String,
        /// The service's address; absent for the provider's own.
        endpoint: Option<Url>,
        /// The region; absent for what `AWS_REGION` or the service's default says.
        region: Option<String>,
    },
}

impl FromStr for Location {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let shown = || text.split('?').next().unwrap_or_default().to_owned();
        let refuse = |reason: &str| Error::Location { text: shown(), reason: reason.to_owned() };
        if text.is_empty() {
            return Err(refuse("it is empty"));
        }
        let Some((scheme, _)) = text.split_once("://") else {
            return Ok(Self::Folder(PathBuf::from(text)));
        };
        let url = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
        match scheme {
            "file" => url.to_file_path().map(Self::Folder).map_err(|()| refuse("it is no local path")),
            "s3" => bucket(&url).map_err(|reason| refuse(&reason)),
            other => Err(refuse(&format!("`{other}` is not a kind of store that is known"))),
        }
    }
}

fn bucket(url: &Url) -> Result<Location, String> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials do not belong here, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned());
    }
    let name = url.host_str().filter(|name| !name.is_empty()).ok_or("the bucket's name is missing")?.to_owned();
    let prefix = url.path().trim_matches('/').to_owned();
    let (mut endpoint, mut region) = (None, None);
    for (key, value) in url.query_pairs() {
        match key.as_ref() {
            "endpoint" => endpoint = Some(service(&value)?),
            "region" => region = Some(value.into_owned()),
            other => return Err(format!("the setting `{other}` is unknown, use endpoint or region")),
        }
    }
    Ok(Location::Bucket { name, prefix, endpoint, region })
}

fn service(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("the endpoint is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("the endpoint must be an http or https address".to_owned());
    }
    Ok(url)
}
