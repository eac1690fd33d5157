//! Archives written by hand, so that every field can lie; shared with the tests of whoever reads archives.

use std::io::{Cursor, Write as _};

/// Writes tar headers by hand, so that every field can lie.
#[derive(Default)]
pub struct Tar(Vec<u8>);

impl Tar {
    pub fn raw(mut self, name: &[u8], kind: u8, mode: u32, link: &str, bytes: &[u8]) -> Self {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name);
        header[100..108].copy_from_slice(format!("{mode:07o}\0").as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        header[156] = kind;
        header[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub fn file(self, name: &str, bytes: &[u8]) -> Self {
        self.raw(name.as_bytes(), b'0', 0o644, "", bytes)
    }

    pub fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

pub fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A zip of stored entries with the given mode, written by hand: names may be anything.
pub fn raw_zip(entries: &[(&[u8], u32, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, mode, bytes) in entries {
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let start = u32::try_from(out.len()).unwrap().to_le_bytes();
        let mut shared = vec![20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0];
        shared.extend([sum.sum().to_le_bytes(), size, size].concat());
        shared.extend([length, [0, 0]].concat());
        out.extend([b"PK\x03\x04".as_slice(), &shared, name, bytes].concat());
        let attributes = (mode << 16).to_le_bytes();
        directory.extend([b"PK\x01\x02\x14\x03".as_slice(), &shared, &[0; 6], &attributes, &start, name].concat());
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let sizes =
        [u32::try_from(directory.len()).unwrap().to_le_bytes(), u32::try_from(out.len()).unwrap().to_le_bytes()];
    out.extend(directory);
    out.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &sizes.concat(), &[0, 0]].concat());
    out
}
