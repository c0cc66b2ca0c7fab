//! The folder: `DAY.runs` for each trading day, `DAY.components` with the components that ran on it, and
//! `components/HASH.wasm`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use model::{ContentHash, Date};
use runtime::tape::{Bounds, Tape};
use serde::{Deserialize, Serialize};

use super::RecordingError;
use super::frames::{self, Frame, HEAD, MAGIC};
use crate::free_space;
use crate::strategies::read_component;

/// A text of this many bytes or more is kept once a file, under its hash: candles and instruments.
const ONCE_FROM: usize = 256;
/// How a text is written that is kept elsewhere; no JSON begins like this.
const ELSEWHERE: char = '@';
const RUNS: &str = "runs";

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Trading days.
    pub days: usize,
    /// Bytes of all days together, with their components.
    pub bytes: u64,
    /// Free bytes of the disk that are left alone: the journal needs them more.
    pub spare: u64,
}

/// One record of a file.
#[derive(Serialize, Deserialize)]
struct Record {
    /// Texts that this and later records of the file refer to, by hash.
    texts: BTreeMap<String, String>,
    /// Of the tape.
    hash: ContentHash,
    tape: Tape,
}

/// One run as it was recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The run.
    pub tape: Tape,
    /// The hash that was taken when it was recorded.
    pub hash: ContentHash,
}

/// The last record of a file was not written to its end: the host was killed while it wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn(pub bool);

fn io(path: &Path) -> impl Fn(std::io::Error) -> RecordingError {
    let path = path.to_owned();
    move |source| RecordingError::Io { path: path.clone(), source }
}

/// A folder of recordings, to read.
pub struct Folder;

impl Folder {
    /// The days that are recorded in `folder`, in order; none when it is not there.
    pub fn days(folder: &Path) -> Result<Vec<(Date, PathBuf)>, RecordingError> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io(folder)(error)),
        };
        let mut days = Vec::new();
        for entry in entries {
            let path = entry.map_err(io(folder))?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            if let (Some(day), true) = (stem, path.extension().is_some_and(|it| it == RUNS)) {
                days.push((day, path));
            }
        }
        days.sort();
        Ok(days)
    }

    /// The runs of one day, in the order in which they ended.
    pub fn read(path: &Path) -> Result<(Vec<Recorded>, Torn), RecordingError> {
        let mut file = BufReader::new(crate::whole_file::open(path).map_err(io(path))?);
        let mut magic = [0; MAGIC.len()];
        let mut at = MAGIC.len() as u64;
        match file.read_exact(&mut magic) {
            Ok(()) if magic == *MAGIC => {}
            Ok(()) => return Err(RecordingError::NotOne { path: path.to_owned() }),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok((Vec::new(), Torn(true))),
            Err(error) => return Err(io(path)(error)),
        }
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut runs = Vec::new();
        loop {
            let damaged =
                |why: String| RecordingError::Damaged { path: path.to_owned(), index: runs.len(), at, why };
            let payload = match frames::next(&mut file, at).map_err(io(path))?.map_err(damaged)? {
                Frame::Whole(payload) => payload,
                Frame::Torn => return Ok((runs, Torn(true))),
                Frame::End => return Ok((runs, Torn(false))),
            };
            let json = frames::inflate(&payload).map_err(damaged)?;
            let record: Record = serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))?;
            texts.extend(record.texts);
            let mut tape = record.tape;
            let mut bytes = 0;
            for call in &mut tape.calls {
                for text in [&mut call.arguments, &mut call.answer] {
                    if let Some(hash) = text.strip_prefix(ELSEWHERE) {
                        let kept = texts.get(hash);
                        let kept = kept.ok_or_else(|| damaged(format!("the text {hash} is missing")))?;
                        bytes += kept.len();
                        if bytes > Bounds::default().bytes {
                            return Err(damaged("it is larger than a run can be recorded".to_owned()));
                        }
                        *text = kept.clone();
                    }
                }
            }
            if tape.hash() != record.hash {
                return Err(damaged("its run is not the one that was hashed".to_owned()));
            }
            at += (HEAD + payload.len()) as u64;
            runs.push(Recorded { tape, hash: record.hash });
        }
    }

    /// The bytes of a component that ran.
    pub fn component(folder: &Path, hash: &ContentHash) -> Result<Vec<u8>, RecordingError> {
        let folder = folder.join("components");
        let missing =
            |why: String| RecordingError::Component { hash: hash.clone(), folder: folder.clone(), why };
        let path = component_path(&folder, hash).ok_or_else(|| missing("it is not a hash".to_owned()))?;
        let bytes = read_component(&path).map_err(|error| missing(error.to_string()))?;
        if runtime::hash_of(&bytes) != *hash {
            return Err(missing("the file of its name has other bytes".to_owned()));
        }
        Ok(bytes)
    }
}

/// A hash from a file becomes a path only when it is one.
fn component_path(components: &Path, hash: &ContentHash) -> Option<PathBuf> {
    let is_hash = !hash.as_str().is_empty() && hash.as_str().bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| components.join(format!("{hash}.wasm")))
}

/// Writes a folder of recordings.
pub struct Writer {
    folder: PathBuf,
    keep: Option<Keep>,
    open: Option<Open>,
}

struct Open {
    day: Date,
    path: PathBuf,
    file: File,
    /// Hashes of the texts that the file has, as far as this process wrote them.
    texts: BTreeSet<String>,
    components: BTreeSet<ContentHash>,
    /// Where the last whole record ends.
    end: u64,
    /// Of all days together, components included.
    bytes: u64,
}

impl Writer {
    /// Into `folder`, which is made when it is not there. Without `keep`, nothing is ever removed.
    pub fn new(folder: &Path, keep: Option<Keep>) -> Result<Self, RecordingError> {
        let components = folder.join("components");
        fs::create_dir_all(&components).map_err(io(&components))?;
        Ok(Self { folder: folder.to_owned(), keep, open: None })
    }

    /// Adds a run. After an error the file is as it was before.
    pub fn write(&mut self, tape: Tape, component: &[u8]) -> Result<(), RecordingError> {
        let day = tape.info.origin.day;
        let mut open = match self.open.take() {
            Some(open) if open.day == day => open,
            _ => self.open_day(day)?,
        };
        let written = self.add(&mut open, tape, component);
        // Without what was half written; a file that cannot be cut is opened anew with the next run.
        let end = open.end;
        if written.is_ok()
            || open.file.set_len(end).and_then(|()| open.file.seek(SeekFrom::Start(end))).is_ok()
        {
            self.open = Some(open);
        }
        written
    }

    fn add(&mut self, open: &mut Open, mut tape: Tape, component: &[u8]) -> Result<(), RecordingError> {
        let day = open.day;
        let hash = tape.hash();
        if let Some(keep) = self.keep
            && let Some(free) = free_space::of(&self.folder).filter(|free| *free < keep.spare)
        {
            return Err(RecordingError::NoRoom { free_mib: free >> 20, spare_mib: keep.spare >> 20 });
        }
        if !open.components.contains(&tape.component) {
            open.bytes += self.keep_component(day, &tape.component, component)?;
            open.components.insert(tape.component.clone());
        }
        let mut texts = BTreeMap::new();
        for call in &mut tape.calls {
            for text in [&mut call.arguments, &mut call.answer] {
                if text.len() >= ONCE_FROM {
                    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
                    let reference = format!("{ELSEWHERE}{hash}");
                    let text = std::mem::replace(text, reference);
                    if !open.texts.contains(&hash) {
                        texts.insert(hash, text);
                    }
                }
            }
        }
        let record = Record { texts, hash, tape };
        let bytes = serde_json::to_vec(&record).map_err(std::io::Error::from);
        let bytes = bytes.and_then(|json| frames::frame(&json)).map_err(io(&open.path))?;
        if let Some(keep) = self.keep
            && open.bytes + bytes.len() as u64 > keep.bytes
        {
            open.bytes = self.make_room(day, keep, bytes.len() as u64)?;
            if open.bytes + bytes.len() as u64 > keep.bytes {
                return Err(RecordingError::Full { day, mib: keep.bytes >> 20 });
            }
        }
        open.file.write_all(&bytes).map_err(io(&open.path))?;
        open.bytes += bytes.len() as u64;
        open.end += bytes.len() as u64;
        open.texts.extend(record.texts.into_keys());
        Ok(())
    }

    /// Opens the file of `day` behind its last whole record, and lets old days go.
    fn open_day(&mut self, day: Date) -> Result<Open, RecordingError> {
        let path = self.folder.join(format!("{day}.{RUNS}"));
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(io(&path))?;
        let mut end = whole_until(&mut file).map_err(io(&path))?;
        file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end))).map_err(io(&path))?;
        if end == 0 {
            file.write_all(MAGIC).map_err(io(&path))?;
            end = MAGIC.len() as u64;
        }
        let bytes = match self.keep {
            Some(keep) => self.make_room(day, keep, 0)?,
            None => 0,
        };
        Ok(Open { day, path, file, texts: BTreeSet::new(), components: BTreeSet::new(), end, bytes })
    }

    /// Lets the oldest days go until what is left and `more` are within `keep`; answers with what is left.
    fn make_room(&self, today: Date, keep: Keep, more: u64) -> Result<u64, RecordingError> {
        let mut days = Folder::days(&self.folder)?;
        let size = |path: &Path| fs::metadata(path).map_or(0, |it| it.len());
        let components = || -> u64 {
            let entries = fs::read_dir(self.folder.join("components")).into_iter().flatten().flatten();
            entries.map(|entry| size(&entry.path())).sum()
        };
        let mut runs: u64 = days.iter().map(|(_, path)| size(path)).sum();
        let mut total = runs + components();
        while let Some((day, path)) = days.first().cloned() {
            if day == today || (days.len() <= keep.days && total + more <= keep.bytes) {
                break;
            }
            runs -= size(&path).min(runs);
            fs::remove_file(&path).map_err(io(&path))?;
            let list = self.list_of(day);
            match fs::remove_file(&list) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(&list)(error)),
                _ => {}
            }
            days.remove(0);
            self.forget_components(&days)?;
            total = runs + components();
        }
        Ok(total)
    }

    fn list_of(&self, day: Date) -> PathBuf {
        self.folder.join(format!("{day}.components"))
    }

    /// Keeps a component that ran on `day`; answers with how many bytes more there are.
    fn keep_component(&self, day: Date, hash: &ContentHash, bytes: &[u8]) -> Result<u64, RecordingError> {
        let mut more = 0;
        if let Some(path) = component_path(&self.folder.join("components"), hash)
            && !path.exists()
        {
            crate::whole_file::replace(&path, bytes).map_err(io(&path))?;
            more = bytes.len() as u64;
        }
        let list = self.list_of(day);
        let mut file = File::options().create(true).append(true).open(&list).map_err(io(&list))?;
        writeln!(file, "{hash}").map_err(io(&list))?;
        Ok(more)
    }

    /// Removes components that ran on none of `days`.
    fn forget_components(&self, days: &[(Date, PathBuf)]) -> Result<(), RecordingError> {
        let mut used = BTreeSet::new();
        for (day, _) in days {
            let list = self.list_of(*day);
            match fs::read_to_string(&list) {
                Ok(text) => used.extend(text.lines().map(|hash| format!("{hash}.wasm"))),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(io(&list)(error)),
            }
        }
        let components = self.folder.join("components");
        for entry in fs::read_dir(&components).map_err(io(&components))? {
            let entry = entry.map_err(io(&components))?;
            if !used.contains(&*entry.file_name().to_string_lossy()) {
                fs::remove_file(entry.path()).map_err(io(&entry.path()))?;
            }
        }
        Ok(())
    }
}

/// The end of the last whole record; 0 when not even the beginning is whole. A damaged record ends nothing:
/// what is written after it can still be read once it is looked at.
fn whole_until(file: &mut File) -> std::io::Result<u64> {
    let length = file.metadata()?.len();
    let mut reader = BufReader::new(&mut *file);
    let mut magic = [0; MAGIC.len()];
    if length < MAGIC.len() as u64 {
        return Ok(0);
    }
    reader.read_exact(&mut magic)?;
    let mut end = MAGIC.len() as u64;
    loop {
        match frames::next(&mut reader, end)? {
            Ok(Frame::Whole(payload)) => end += (HEAD + payload.len()) as u64,
            Ok(Frame::Torn | Frame::End) => return Ok(end),
            Err(_) => return Ok(length),
        }
    }
}
