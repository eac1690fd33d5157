use std::future::Future;
use std::time::Duration;

use url::Url;

use crate::config::Config;
use crate::terminal::{Terminal, plain};

/// A database on this machine that is up has answered by then.
const SHORT: Duration = Duration::from_millis(500);

/// Waits for the stores, and says what is waited for when that takes longer than a moment.
pub async fn told<T>(opening: impl Future<Output = T>, config: &Config, terminal: &Terminal) -> T {
    let mut opening = std::pin::pin!(opening);
    if let Ok(opened) = tokio::time::timeout(SHORT, &mut opening).await {
        return opened;
    }
    if let Some(place) = place(&config.database) {
        let most = kontor_db::PATIENCE.as_secs();
        terminal.tell(&format!("waiting for the database at {}, at most {most} seconds", plain(&place)));
    }
    opening.await
}

/// Where a database server is, without name and password.
fn place(database: &str) -> Option<String> {
    let url = Url::parse(database).ok().filter(|url| url.scheme().starts_with("postgres"))?;
    let socket = url.query_pairs().find(|(key, _)| key == "host").map(|(_, value)| value.into_owned());
    let host = url.host_str().filter(|host| !host.is_empty()).map(str::to_owned).or(socket)?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{host}{port}{}", url.path()))
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_database_is_named_without_its_password() {
        for (address, shown) in [
            ("postgres://kontor:secret@db.internal:5433/kontor?sslmode=require", Some("db.internal:5433/kontor")),
            ("postgres:///kontor?host=/run/postgresql&user=x", Some("/run/postgresql/kontor")),
            ("sqlite:/var/lib/kontor.db", None),
            ("", None),
        ] {
            assert_eq!(place(address).as_deref(), shown, "{address}");
        }
    }
}
