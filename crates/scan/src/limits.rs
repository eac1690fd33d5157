/// How far one scan goes. Whatever lies beyond is named in the report as not examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most files of a unit, those inside other files included.
    pub files: usize,
    /// Most bytes of one file.
    pub file_bytes: u64,
    /// Most bytes of the unit, everything unpacked and decoded included.
    pub total_bytes: u64,
    /// How deep archives may lie inside archives.
    pub nesting: usize,
    /// How many times decoded text is decoded again.
    pub decoding: usize,
    /// Scripts larger than this are read as text and not parsed.
    pub parsed_bytes: usize,
    /// Folders deeper than this are not entered.
    pub depth: usize,
}

impl Default for Limits {
    /// 20,000 files, 64 MiB a file, 512 MiB in all, 4 levels of archives, 4 of encodings, 1 MiB for a parsed script.
    fn default() -> Self {
        Self {
            files: 20_000,
            file_bytes: 64 << 20,
            total_bytes: 512 << 20,
            nesting: 4,
            decoding: 4,
            parsed_bytes: 1 << 20,
            depth: 48,
        }
    }
}
