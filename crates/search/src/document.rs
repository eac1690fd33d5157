use kontor_types::{Handle, PublisherId, SkillId, Slug, Timestamp, Visibility};

/// What the index knows of one skill: its newest visible version and its counters.
///
/// Hidden, deleted and undecided skills are never given to the index.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The skill.
    pub skill: SkillId,
    /// Whom it belongs to.
    pub publisher: PublisherId,
    /// The publisher's handle.
    pub handle: Handle,
    /// The skill's name within its publisher.
    pub slug: Slug,
    /// The name as its author wrote it.
    pub display_name: String,
    /// What the skill is for, in a sentence or two.
    pub description: String,
    /// Whether the description was taken from the text because the author wrote none.
    pub description_derived: bool,
    /// The text of SKILL.md without its front matter; only the first 64 KiB are read.
    pub body: String,
    /// Free words the author chose.
    pub keywords: Vec<String>,
    /// Categories the author or the operator chose.
    pub categories: Vec<String>,
    /// The licence as an SPDX expression.
    pub license: Option<String>,
    /// The skill that had the same text first, if another had: whoever finds this one must be able to find that.
    pub copy_of: Option<SkillId>,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether it agrees with the open format.
    pub spec_valid: bool,
    /// How often it was downloaded.
    pub downloads: u64,
    /// How often it was installed.
    pub installs: u64,
    /// How many people starred it.
    pub stars: u64,
    /// How much it is in use of late, on any scale.
    pub trending: f64,
    /// When its newest version was published.
    pub updated: Timestamp,
    /// When it was first published.
    pub created: Timestamp,
}

impl Document {
    /// The most bytes of a body that are read.
    pub const BODY_LIMIT: usize = 64 * 1024;
}

/// One step of the change feed.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The skill is new or something about it changed.
    Upsert(Box<Document>),
    /// The skill is gone or hidden.
    Remove(SkillId),
}
