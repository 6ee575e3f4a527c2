//! A `tar.gz`, whose bytes say nothing but its files.

use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};

use super::entry::Entry;
use super::stamp::Stamp;

/// The files below the folder `top`.
pub(super) fn tarball(top: &str, mut entries: Vec<Entry>, stamp: Stamp, effort: Compression) -> io::Result<Vec<u8>> {
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    // Neither a name nor a time: both would be those of the packing.
    let mut archive = tar::Builder::new(GzBuilder::new().write(Vec::new(), effort));
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(entry.contents.len() as u64);
        header.set_mode(entry.mode());
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(stamp.seconds().unsigned_abs());
        archive.append_data(&mut header, format!("{top}/{}", entry.path), &*entry.contents)?;
    }
    let mut compressed = archive.into_inner()?.finish()?;
    compressed.flush()?;
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_same_files_give_the_same_bytes_in_any_order() {
        let entries = || vec![Entry::program("isolet", b"program".as_slice()), Entry::file("doc/a.md", b"text".as_slice())];
        let pack = |entries: Vec<Entry>| tarball("isolet-1", entries, Stamp::OF_TESTS, Compression::fast()).unwrap();
        let packed = pack(entries());
        assert_eq!(packed, pack(entries().into_iter().rev().collect()));
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*packed));
        let read = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let header = entry.header();
            (
                entry.path().unwrap().display().to_string(),
                header.mode().unwrap(),
                header.mtime().unwrap(),
                header.uid().unwrap(),
                text,
            )
        });
        assert_eq!(
            read.collect::<Vec<_>>(),
            [
                ("isolet-1/doc/a.md".to_owned(), 0o644, 1_700_000_000, 0, "text".to_owned()),
                ("isolet-1/isolet".to_owned(), 0o755, 1_700_000_000, 0, "program".to_owned()),
            ]
        );
    }
}
