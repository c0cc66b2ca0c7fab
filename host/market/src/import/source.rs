//! Where lines come from: plain files, gzip, and every member of a zip archive.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::ImportError;

/// A member or file that unpacks to more than this is not market data but an accident.
const UNPACKED_MAX: u64 = 4 << 30;

/// Folders become the `.csv`, `.csv.gz` and `.zip` files in them, sorted by name; other paths stay.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ImportError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let unreadable = |source| ImportError::Unreadable { path: path.clone(), source };
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            let known = file.extension().is_some_and(|extension| {
                ["csv", "gz", "zip"].iter().any(|known| extension.eq_ignore_ascii_case(known))
            });
            if file.is_file() && known {
                inside.push(file);
            }
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

/// Opens a file whatever its packing (told by its first bytes) and hands each text in it to `each`.
pub fn open(
    path: &Path,
    each: &mut dyn FnMut(&str, &mut dyn Read) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let unreadable = |source| ImportError::Unreadable { path: path.to_owned(), source };
    let mut magic = [0_u8; 4];
    let read = File::open(path).and_then(|mut file| fill(&mut file, &mut magic)).map_err(unreadable)?;
    let file = File::open(path).map_err(unreadable)?;
    let name = path.display().to_string();
    match &magic[..read] {
        [0x1f, 0x8b, ..] => each(&name, &mut Bounded::new(MultiGzDecoder::new(BufReader::new(file)))),
        [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => open_zip(path, file, each),
        _ => each(&name, &mut BufReader::new(file)),
    }
}

fn fill(file: &mut File, buffer: &mut [u8; 4]) -> std::io::Result<usize> {
    let mut have = 0;
    while have < buffer.len() {
        match file.read(&mut buffer[have..])? {
            0 => break,
            read => have += read,
        }
    }
    Ok(have)
}

fn open_zip(
    path: &Path,
    file: File,
    each: &mut dyn FnMut(&str, &mut dyn Read) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let broken = |error: zip::result::ZipError| ImportError::Archive {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    for at in 0..archive.len() {
        let member = archive.by_index(at).map_err(broken)?;
        if member.is_dir() {
            continue;
        }
        let name = format!("{}/{}", path.display(), member.name().map_err(broken)?);
        each(&name, &mut Bounded::new(member))?;
    }
    Ok(())
}

/// Stops with an error where an archive unpacks to more than [`UNPACKED_MAX`].
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Bounded<R> {
    const fn new(inner: R) -> Self {
        Self { inner, left: UNPACKED_MAX }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            std::io::Error::other(format!("it unpacks to more than {} GiB", UNPACKED_MAX >> 30))
        })?;
        Ok(read)
    }
}
