use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use kontor_outbound::{Exception, Outbound, Policy};
use kontor_wire::Origin;
use url::Url;

use super::{ARCHIVE_ENDINGS, Tree, archive, borrowed_folder};
use crate::error::Error;

/// The most time that a download may take.
const LONGEST: Duration = Duration::from_mins(15);
/// The most bytes of an archive.
const MOST: u64 = 4 << 30;

/// An address of the web whose path ends like an archive.
pub fn recognise(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let lower = url.path().to_ascii_lowercase();
    let is_archive = ARCHIVE_ENDINGS.iter().any(|ending| lower.ends_with(ending));
    (matches!(url.scheme(), "http" | "https") && url.host_str().is_some() && is_archive).then_some(url)
}

/// The address as others may see it: without credentials, which may also be in the query.
pub fn shown(url: &Url) -> String {
    let mut plain = url.clone();
    plain.set_query(None);
    plain.set_fragment(None);
    let gone = plain.set_username("").and_then(|()| plain.set_password(None));
    gone.map_or_else(|()| String::new(), |()| plain.to_string())
}

/// Downloads an archive, bounded in time and bytes, and unpacks it; a folder that wraps everything is taken off, since its
/// name often tells the version.
pub async fn fetch(url: &Url) -> Result<Tree, Error> {
    let keep = borrowed_folder()?;
    let file = keep.path().join("archive");
    save(url, &file).await?;
    let origin = Origin { kind: "archive".to_owned(), url: Some(shown(url)), ..Origin::default() };
    let name = url.path_segments().and_then(|mut parts| parts.next_back()).map(|name| archive::stem(name).to_owned());
    let tree = archive::unpack(file, origin).await.map_err(|error| match error {
        Error::Package { source, .. } => Error::Package { what: shown(url), source },
        other => other,
    })?;
    Ok(tree.unwrapped().named(name))
}

/// The hosts of the proxies that the user has set, which may be inside their network.
fn proxies() -> Vec<Exception> {
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let hosts = names.into_iter().filter_map(|name| {
        let text = std::env::var(name).ok()?;
        let url =
            Url::parse(&text).ok().filter(Url::has_host).or_else(|| Url::parse(&format!("http://{text}")).ok())?;
        url.host_str()?.trim_matches(['[', ']']).parse().ok()
    });
    hosts.collect()
}

async fn save(url: &Url, path: &Path) -> Result<(), Error> {
    let failed = |source: kontor_outbound::Error| Error::Download { address: shown(url), source };
    // The host that the user names may be anywhere; where it redirects to must be on the open internet.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let named = host.parse::<Exception>().map_err(|error| Error::Usage(error.to_string()))?;
    let policy = Policy { user_proxies: true, ..Policy::default().allow(named) };
    let policy = proxies().into_iter().fold(policy, Policy::allow);
    let outbound = Outbound::new(policy).map_err(failed)?;
    let request = outbound.get(url.as_str()).map_err(failed)?.timeout(LONGEST).limit(MOST);
    let mut response = request.send().await.map_err(failed)?;
    let status = response.status();
    if !status.is_success() {
        let address = shown(url);
        return Err(Error::refused(
            format!("{address} answered {status}"),
            "check the address, or download the archive yourself and import the file",
        ));
    }
    let mut file = File::create(path).map_err(|error| Error::io("write", path, error))?;
    while let Some(part) = response.chunk().await.map_err(failed)? {
        file.write_all(&part).map_err(|error| Error::io("write", path, error))?;
    }
    Ok(())
}
