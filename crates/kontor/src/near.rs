//! Names that somebody may have meant.

use kontor_client::{Client, Error};
use kontor_types::{Code, SkillRef};
use kontor_wire::{PageQuery, SearchQuery};

use crate::session::Session;

/// How many letters must be changed, added or left out to make one text the other.
pub fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(80).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (number, char) in left.chars().take(80).enumerate() {
        let mut diagonal = row[0];
        row[0] = number + 1;
        for (column, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(char != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

/// Skills or publishers of the hub with a name like the one that it does not have; none when the failure is another.
pub async fn names(session: &Session, error: &anyhow::Error) -> Vec<String> {
    let Some(missing) = missing(error) else { return Vec::new() };
    let Ok(client) = session.client() else { return Vec::new() };
    match missing {
        Missing::Skill(name) => skills(&client, &name).await,
        Missing::Publisher(name) => publishers(&client, &name).await,
    }
}

/// Those of these names that are like the one that was meant, the nearest first.
pub fn alike<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let steps = names.into_iter().map(|name| (distance(wanted, name), name));
    let mut near: Vec<_> = steps.filter(|(steps, _)| *steps <= 2.max(wanted.len() / 4)).collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

async fn publishers(client: &Client, wanted: &str) -> Vec<String> {
    let query = PageQuery { cursor: None, limit: Some(200) };
    let Ok(page) = client.publishers(&query).await else { return Vec::new() };
    let known: Vec<&str> = page.items.iter().map(|publisher| publisher.handle.as_str()).collect();
    alike(wanted, known).into_iter().map(|name| format!("@{name}")).collect()
}

async fn skills(client: &Client, missing: &SkillRef) -> Vec<String> {
    let wanted = missing.slug.as_str();
    let query = SearchQuery { q: wanted.replace('-', " "), limit: Some(50), ..SearchQuery::default() };
    let Ok(found) = client.search(&query).await else { return Vec::new() };
    let mut near: Vec<(usize, String)> = found
        .items
        .into_iter()
        .map(|hit| (distance(wanted, hit.skill.slug.as_str()), hit.skill.reference.to_string()))
        .filter(|(steps, _)| *steps <= 2.max(wanted.len() / 4))
        .collect();
    near.sort();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

enum Missing {
    Skill(SkillRef),
    Publisher(String),
}

/// The name that a hub said it does not have.
fn missing(error: &anyhow::Error) -> Option<Missing> {
    let problem = error.chain().find_map(|cause| match cause.downcast_ref::<Error>()? {
        Error::Problem(problem) => Some(problem),
        _ => None,
    })?;
    match problem.code {
        Code::SkillNotFound => problem.detail.rsplit_once(": ")?.1.parse().ok().map(Missing::Skill),
        Code::PublisherNotFound => {
            let name = problem.detail.rsplit(' ').next()?;
            Some(Missing::Publisher(name.trim_matches(['`', '@']).to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{alike, distance};

    #[test]
    fn the_nearest_name_comes_first() {
        assert_eq!(alike("claud-code", ["codex", "claude-code", "claude"]), ["claude-code"]);
        assert_eq!(alike("xyz", ["codex"]), [""; 0]);
    }

    #[test]
    fn the_distance_counts_letters() {
        for (left, right, steps) in [("pdf", "pdf", 0), ("pdff", "pdf", 1), ("serach", "search", 2), ("", "会议", 2)]
        {
            assert_eq!(distance(left, right), steps, "{left} {right}");
        }
    }
}
