/// How much one skill may hold; every reader counts bytes as they come, never by what a header claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one file.
    pub file_bytes: u64,
    /// Most bytes of all files together.
    pub skill_bytes: u64,
    /// Most files.
    pub files: usize,
}

impl Limits {
    /// More than this no skill may hold, whatever the operator configures: a canonical archive stays below 4 GiB
    /// and 65,535 entries, so it never needs the 64-bit extension of the format.
    pub const CEILING: Self = Self { file_bytes: 2 << 30, skill_bytes: 2 << 30, files: 60_000 };

    /// These limits, lowered to what the format can hold.
    #[must_use]
    pub fn within_ceiling(self) -> Self {
        Self {
            file_bytes: self.file_bytes.min(Self::CEILING.file_bytes),
            skill_bytes: self.skill_bytes.min(Self::CEILING.skill_bytes),
            files: self.files.min(Self::CEILING.files),
        }
    }
}

impl Default for Limits {
    /// 10 MiB a file, 50 MiB and 2,000 files a skill.
    fn default() -> Self {
        Self { file_bytes: 10 << 20, skill_bytes: 50 << 20, files: 2_000 }
    }
}

/// How much an archive with many skills may hold when it is unpacked to a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Most bytes of one unpacked file.
    pub file_bytes: u64,
    /// Most bytes of all unpacked files together.
    pub total_bytes: u64,
    /// Most entries: files, folders and everything else.
    pub entries: usize,
}

impl Default for ArchiveLimits {
    /// 4 GiB and 500,000 entries.
    fn default() -> Self {
        Self { file_bytes: 4 << 30, total_bytes: 4 << 30, entries: 500_000 }
    }
}

impl From<Limits> for ArchiveLimits {
    /// An archive of one skill may have folders besides its files, but not many more entries.
    fn from(limits: Limits) -> Self {
        let limits = limits.within_ceiling();
        Self {
            file_bytes: limits.file_bytes,
            total_bytes: limits.skill_bytes,
            entries: limits.files.saturating_mul(2).saturating_add(1_000),
        }
    }
}

/// Bytes as people read them: `10 MiB`, `1.5 KiB`, `12 bytes`.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, size) in UNITS {
        if bytes >= size {
            let tenths = bytes / (size / 10).max(1);
            let (whole, rest) = (bytes / size, tenths.saturating_sub(bytes / size * 10).min(9));
            return if rest == 0 { format!("{whole} {unit}") } else { format!("{whole}.{rest} {unit}") };
        }
    }
    if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") }
}
