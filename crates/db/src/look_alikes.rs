//! Names that may be taken for one another: which of them are worth comparing letter by letter.

use kontor_types::{Handle, PublisherId, SkillId, Slug, Timestamp, Viewer};

use crate::sql::Sql;
use crate::{Conn, Error, sight};

/// Shorter names differ in one letter too often by chance.
const SHORTEST: usize = 5;
/// Names that are compared with one.
const MOST: u32 = 256;

record! {
    /// A skill that everybody may find, as far as names are compared.
    pub struct Named {
        /// The skill.
        pub id: SkillId,
        /// Its publisher.
        pub publisher_id: PublisherId,
        /// Its publisher's name.
        pub publisher: Handle,
        /// Its name.
        pub slug: Slug,
    }
}

/// A new name and the words by which others are compared with it.
#[derive(Debug, Clone)]
pub struct Sought<'a> {
    /// The name.
    pub slug: &'a Slug,
    /// Whose name it is.
    pub publisher: PublisherId,
    /// What names look like that are taken for it.
    pub looks: &'a [String],
    /// Names that are taken for it.
    pub slugs: &'a [String],
    /// Since when the name is used.
    pub since: Timestamp,
}

/// Skills of other publishers that everybody may find and that were there before, the most installed first, which have one
/// of these names or looks, or one half of their name in common with it; none whose name the publisher had itself before.
pub async fn candidates(conn: &mut Conn, sought: &Sought<'_>) -> Result<Vec<Named>, Error> {
    let mut sql = Sql::new(
        "select s.id, s.publisher_id, p.handle as publisher, s.slug from skill s join publisher p on p.id = s.publisher_id where s.id in (",
    );
    sql.push("select l.id from skill l where l.look in ").list(sought.looks);
    if !sought.slugs.is_empty() {
        sql.push(" union select n.id from skill n where n.slug in ").list(sought.slugs);
    }
    let (fores, backs): (Vec<String>, Vec<String>) = near_halves(sought.slug).into_iter().unzip();
    if !fores.is_empty() {
        sql.push(" union select f.id from skill f where f.fore in ").list(fores);
        sql.push(" union select b.id from skill b where b.back in ").list(backs);
    }
    sql.push(") and s.slug <> ").value(sought.slug).push(" and s.publisher_id <> ").value(sought.publisher);
    sql.push(" and s.created_at <= ").value(sought.since).push(" and ");
    sight::may_list(&mut sql, &Viewer::anonymous());
    sql.push(" and not exists (select 1 from skill own where own.publisher_id = ").value(sought.publisher);
    sql.push(" and own.slug = s.slug and own.created_at <= s.created_at) order by s.installs desc, s.id limit ");
    sql.value(MOST);
    sql.all(conn).await
}

/// Those of these publishers of whom everybody may find a skill that has this very name and was there before.
pub async fn namesakes(
    conn: &mut Conn,
    sought: &Sought<'_>,
    publishers: &[PublisherId],
) -> Result<Vec<PublisherId>, Error> {
    let mut sql = Sql::new("select s.publisher_id from skill s where s.slug = ");
    sql.value(sought.slug).push(" and s.created_at <= ").value(sought.since).push(" and s.publisher_id in ");
    sql.list(publishers.iter().copied()).push(" and ");
    sight::may_list(&mut sql, &Viewer::anonymous());
    sql.column(conn).await
}

/// The halves under which a name is found by names that are one slip away; nothing for the shortest names.
pub(crate) fn halves(slug: &Slug) -> Option<(String, String)> {
    let letters = letters(slug);
    halves_of_length(&letters, letters.len())
}

/// The halves of the names that are one slip away from this one and begin or end like it.
fn near_halves(slug: &Slug) -> Vec<(String, String)> {
    let letters = letters(slug);
    let lengths = letters.len().saturating_sub(1)..=letters.len() + 1;
    lengths.filter_map(|length| halves_of_length(&letters, length)).collect()
}

/// The halves that a name of this length has if it begins, or ends, with these letters. A slip in the middle leaves both.
fn halves_of_length(letters: &str, length: usize) -> Option<(String, String)> {
    if length < SHORTEST {
        return None;
    }
    let half = (length - 1) / 2;
    let (fore, back) = (letters.get(..half)?, letters.get(letters.len().checked_sub(half)?..)?);
    Some((format!("{length}<{fore}"), format!("{length}>{back}")))
}

fn letters(slug: &Slug) -> String {
    slug.as_str().replace('-', "")
}
