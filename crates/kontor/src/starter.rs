//! The starter skills: part of the program, published on a hub's first start.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use kontor_access::Caller;
use kontor_app::App;
use kontor_db::settings;
use kontor_package::{Content, Limits};
use kontor_registry::Publish;
use kontor_types::Handle;
use rust_embed::RustEmbed;

/// Who owns them.
const PUBLISHER: &str = "kontor";
/// The setting that says that the first start is over.
const SETTING: &str = "starter_skills";

/// How long a first start waits for the search index.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Everything below `skills/`; a folder with a `SKILL.md` is a skill.
#[derive(RustEmbed)]
#[folder = "../../skills"]
struct Files;

/// Publishes the starter skills unless that was done, or left out, before. A start that broke off is made good.
pub async fn publish(app: &App, leave_out: bool) -> anyhow::Result<()> {
    let known =
        settings::get(&mut app.db.read().await?, SETTING).await.context("cannot look for the starter skills")?;
    if known.is_some() {
        return Ok(());
    }
    if !leave_out {
        let publisher = Handle::parse(PUBLISHER)?;
        app.access
            .ensure_publisher(&Caller::hub(), &publisher)
            .await
            .context("cannot make the starter skills' publisher")?;
        for (name, content) in skills()? {
            let mut request = Publish::new(publisher.clone(), content);
            request.folder = Some(name.clone());
            let outcome = app.registry.publish(&Caller::hub(), request).await;
            let done = outcome.with_context(|| format!("cannot publish the starter skill {name}"))?;
            tracing::info!(skill.name = %done.slug, skill.version = %done.number, "a starter skill is published");
        }
    }
    // They go the way of every skill: scanned, decided, and only then to be seen; the hub is ready when they are.
    app.registry.assess_waiting().await.context("cannot decide about the starter skills")?;
    let how = if leave_out { "left out" } else { "published" };
    let now = app.clock.now().to_string();
    let value = format!("{how} {now}");
    app.db
        .write(move |tx| {
            let value = value.clone();
            Box::pin(async move { settings::set(tx, SETTING, &value).await })
        })
        .await
        .context("cannot remember the starter skills")?;
    // Whoever asks for one as soon as the hub is ready finds it; a slow index is no reason not to begin.
    if !app.registry.index_follows(LONGEST_WAIT).await.context("cannot look at the search index")? {
        tracing::warn!("the search index is still behind: the starter skills will be found later");
    }
    Ok(())
}

/// The content of each starter skill, by the name of its folder.
fn skills() -> anyhow::Result<BTreeMap<String, Content>> {
    let mut folders: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    for path in Files::iter() {
        if let (Some((folder, inner)), Some(file)) = (path.split_once('/'), Files::get(&path)) {
            folders.entry(folder.to_owned()).or_default().push((inner.to_owned(), file.data.into_owned()));
        }
    }
    folders.retain(|_, files| files.iter().any(|(path, _)| path == "SKILL.md"));
    let read = folders.into_iter().map(|(name, files)| {
        let content = Content::from_files(files, &Limits::default());
        content.map(|content| (name.clone(), content)).with_context(|| format!("the starter skill {name} is broken"))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use kontor_package::inspect;

    #[test]
    fn every_starter_skill_follows_the_open_format() -> anyhow::Result<()> {
        let skills = super::skills()?;
        assert_eq!(skills.len(), 7, "{:?}", skills.keys());
        for (name, content) in skills {
            let inspection = inspect(&content, Some(&name));
            assert!(inspection.spec_valid, "{name}: {:?}", inspection.findings);
        }
        Ok(())
    }
}
