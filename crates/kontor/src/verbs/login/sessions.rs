//! The browsers that somebody is signed in with.

use kontor_types::SessionId;
use serde_json::json;

use crate::amounts::moment;
use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;

/// Lists them.
pub async fn list(session: &Session) -> anyhow::Result<Exit> {
    let sessions = session.client()?.sessions().await?;
    if session.terminal.json {
        session.terminal.json(&sessions);
        return Ok(Exit::Done);
    }
    if sessions.items.is_empty() {
        session.terminal.note("you are signed in with no browser; `kontor login --web` signs one in");
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["id", "browser", "may", "since", "last used", "ends"]);
    for one in &sessions.items {
        table.row([
            one.id.to_string(),
            one.client.clone(),
            one.scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            moment(one.created_at),
            moment(one.last_used_at),
            one.expires_at.day().to_string(),
        ]);
    }
    session.terminal.data(&table.render(&session.terminal));
    Ok(Exit::Done)
}

/// Ends one session.
pub async fn end(id: SessionId, session: &Session) -> anyhow::Result<Exit> {
    session.client()?.end_session(id).await?;
    session.terminal.note(&format!("the browser of session {id} is signed out"));
    if session.terminal.json {
        session.terminal.json(&json!({"id": id, "ended": true}));
    }
    Ok(Exit::Done)
}

/// Ends all sessions.
pub async fn end_all(session: &Session) -> anyhow::Result<Exit> {
    let ended = session.client()?.end_sessions().await?;
    session.terminal.note(&match ended.ended {
        0 => "you were signed in with no browser".to_owned(),
        1 => "one browser is signed out".to_owned(),
        many => format!("{many} browsers are signed out"),
    });
    if session.terminal.json {
        session.terminal.json(&ended);
    }
    Ok(Exit::Done)
}
