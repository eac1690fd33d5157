//! Tells the hub which skills are active, so that their tools appear in agents that ask it.

use kontor_client::{Client, Error, Name};
use kontor_types::SkillRef;
use kontor_wire::Activation;

use crate::session::Session;
use crate::terminal::plain;

/// Makes skills active on the hub in use. The folders of agents are filled already, so what fails here is only said.
pub async fn activate(references: &[SkillRef], allow: bool, session: &Session) {
    let Ok(client) = session.client() else { return };
    if !client.is_signed_in() {
        session
            .terminal
            .note("sign in with `kontor login` and activate again to have its tools in agents that ask the hub");
        return;
    }
    for reference in references {
        match one(&client, reference, allow).await {
            Ok(activation) => told(&activation, session),
            Err(error) => warn(reference, &error, session),
        }
    }
}

/// Takes skills and every consent about them back on the hub in use.
pub async fn deactivate(references: &[SkillRef], session: &Session) {
    let Ok(client) = session.client() else { return };
    if !client.is_signed_in() {
        return;
    }
    for reference in references {
        let Some(publisher) = &reference.publisher else { continue };
        if let Err(error) = client.deactivate(&Name(publisher, &reference.slug)).await {
            warn(reference, &error, session);
        }
    }
}

async fn one(client: &Client, reference: &SkillRef, allow: bool) -> Result<Activation, Error> {
    let Some(publisher) = &reference.publisher else {
        return Err(Error::Usage(format!("write `{}` with its publisher: @publisher/{0}", reference.slug)));
    };
    let name = Name(publisher, &reference.slug);
    let wanted = reference.version.as_ref().map_or_else(|| "latest".to_owned(), ToString::to_string);
    let version = client.version(&name, &wanted).await?.summary.version;
    let activation = client.activate(&name, Some(version), None).await?;
    if !allow || activation.allowed {
        return Ok(activation);
    }
    // Exactly what was just told is allowed, and nothing that it may ask for meanwhile.
    client.activate(&name, Some(activation.version), Some(activation.asks)).await
}

fn told(activation: &Activation, session: &Session) {
    let terminal = &session.terminal;
    if activation.tools.is_empty() {
        return;
    }
    let tools = plain(&activation.tools.join(", "));
    terminal.note(&format!("tools in agents that ask the hub: {tools}"));
    let asks: Vec<String> = activation.asks.network.iter().chain(&activation.asks.secrets).cloned().collect();
    if asks.is_empty() {
        return;
    }
    let asks = plain(&asks.join(", "));
    terminal.note(&if activation.allowed {
        format!("its runs may have {asks} until `kontor deactivate`")
    } else {
        format!("its runs ask for {asks}; agents ask you each time, or `kontor activate --allow` allows it")
    });
}

fn warn(reference: &SkillRef, error: &Error, session: &Session) {
    let text = format!("the hub does not know that {reference} is active: {error}");
    session.terminal.warn(&plain(&text));
}
