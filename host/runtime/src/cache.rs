//! Compiled code kept on disk, so that a restart does not compile again.
//!
//! An entry is named by what it was made from: the component's content, wasmtime's version and the
//! settings. It is native code, so it is only ever read back when the folder and the file belong to
//! the user that runs the host, nobody else can write them, and the file's own header proves what it
//! is and that no bit of it changed. Anything else is compiled again; a cache can be lost at any time.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engine::fingerprint;
use crate::instance::LoadError;
use crate::outcome::one_line;

const MAGIC: &[u8; 8] = b"TAGCODE1";
const KEY: usize = 32;
/// What an entry's name ends with.
const ENDING: &str = "compiled";
const HEADER: usize = MAGIC.len() + 2 * KEY;
/// No component of ours compiles to more; a larger file is not read.
const ENTRY_BYTES_MAX: u64 = 256 << 20;
/// All entries together; those that were used longest ago go first.
const FOLDER_BYTES_MAX: u64 = 1 << 30;

/// The cache of one engine; without a folder it only compiles.
pub(crate) struct Cache {
    folder: Option<PathBuf>,
    settings: [u8; 32],
    told: Once,
}

impl Cache {
    /// With entries in `folder`, which is made when it is missing. A folder that cannot be trusted is
    /// not used, and a warning says why.
    pub(crate) fn new(engine: &Engine, folder: Option<&Path>) -> Self {
        let cache = Self { folder: None, settings: fingerprint(engine), told: Once::new() };
        let Some(folder) = folder else { return cache };
        match make(folder).and_then(|()| trusted(folder)) {
            Ok(()) => Self { folder: Some(folder.to_owned()), ..cache },
            Err(why) => {
                cache.tell(folder, &why);
                cache
            }
        }
    }

    /// The component compiled for `engine`, from the cache when it holds a sound entry.
    pub(crate) fn component(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
        let Some(folder) = &self.folder else { return Component::from_binary(engine, bytes) };
        let key = self.key(bytes);
        let path = Self::entry(folder, &key);
        if let Some(component) = read(engine, &path, &key) {
            used(&path);
            return Ok(component);
        }
        let compiled = engine.precompile_component(bytes)?;
        if let Err(why) = fits(&compiled).and_then(|()| store(folder, &path, &key, &compiled)) {
            self.tell(folder, &why);
        }
        // SAFETY: `compiled` was made by wasmtime two lines above and never left this process.
        unsafe { Component::deserialize(engine, compiled) }
    }

    /// Compiles into the cache what is not in it yet, or says why that cannot be.
    pub(crate) fn keep(&self, engine: &Engine, bytes: &[u8]) -> Result<(), LoadError> {
        let no_folder = || LoadError::NotKept("there is no folder for it that can be used".to_owned());
        let folder = self.folder.as_deref().ok_or_else(no_folder)?;
        let key = self.key(bytes);
        let path = Self::entry(folder, &key);
        if read(engine, &path, &key).is_some() {
            used(&path);
            return Ok(());
        }
        let compiled =
            engine.precompile_component(bytes).map_err(|error| LoadError::Compile(one_line(&error)))?;
        fits(&compiled).map_err(LoadError::Compile)?;
        store(folder, &path, &key, &compiled).map_err(LoadError::NotKept)
    }

    fn entry(folder: &Path, key: &[u8; KEY]) -> PathBuf {
        folder.join(format!("{}.{ENDING}", blake3::Hash::from_bytes(*key).to_hex()))
    }

    fn key(&self, bytes: &[u8]) -> [u8; KEY] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.settings);
        hasher.update(blake3::hash(bytes).as_bytes());
        *hasher.finalize().as_bytes()
    }

    /// Once per cache: a full or read-only disk would say it at every load.
    fn tell(&self, folder: &Path, why: &str) {
        self.told.call_once(|| {
            tracing::warn!(folder = %folder.display(), "strategies are compiled at every start, because the cache of compiled code cannot be used: {why}");
        });
    }
}

fn make(folder: &Path) -> Result<(), String> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| format!("the folder cannot be made: {error}"))
}

/// Nobody but this user can write `path`.
#[cfg(unix)]
fn trusted(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if meta.is_symlink() {
        return Err("it is a link".to_owned());
    }
    let user = rustix::process::geteuid().as_raw();
    if meta.uid() != user {
        return Err(format!("it belongs to user {} and this is user {user}", meta.uid()));
    }
    if meta.mode() & 0o022 != 0 {
        return Err(format!(
            "others may write to it (mode {:o}): take that right away with `chmod go-w`",
            meta.mode() & 0o777
        ));
    }
    Ok(())
}

/// Elsewhere the folder's inherited access list protects it: it lies in the service's own data folder.
#[cfg(not(unix))]
fn trusted(path: &Path) -> Result<(), String> {
    fs::symlink_metadata(path).map(drop).map_err(|error| error.to_string())
}

fn read(engine: &Engine, path: &Path, key: &[u8; KEY]) -> Option<Component> {
    if !path.exists() {
        return None;
    }
    match checked_body(path, key) {
        Ok(body) => {
            // SAFETY: the file is ours alone, and its hash proves that it is what `write` wrote for this
            // component, this wasmtime and these settings.
            match unsafe { Component::deserialize(engine, &body) } {
                Ok(component) => return Some(component),
                Err(error) => tracing::info!(entry = %path.display(), "compiled again: {error}"),
            }
        }
        Err(why) => {
            tracing::info!(entry = %path.display(), "compiled again, the cached entry is not sound: {why}")
        }
    }
    None
}

fn checked_body(path: &Path, key: &[u8; KEY]) -> Result<Vec<u8>, String> {
    trusted(path)?;
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > ENTRY_BYTES_MAX {
        return Err(format!("it has {size} bytes"));
    }
    let mut bytes = fs::read(path).map_err(|error| error.to_string())?;
    let header = bytes.get(..HEADER).ok_or("it is cut off")?;
    let (magic, rest) = header.split_at(MAGIC.len());
    let (of, body_hash) = rest.split_at(KEY);
    if magic != MAGIC {
        return Err("it is not ours".to_owned());
    }
    if of != key {
        return Err("it was made from another component, wasmtime or settings".to_owned());
    }
    if blake3::hash(&bytes[HEADER..]).as_bytes() != body_hash {
        return Err("its bytes have changed".to_owned());
    }
    bytes.drain(..HEADER);
    Ok(bytes)
}

/// Whether this is no more than an entry may have.
fn fits(compiled: &[u8]) -> Result<(), String> {
    if compiled.len() as u64 > ENTRY_BYTES_MAX - HEADER as u64 {
        return Err(format!(
            "it compiles to {} bytes, and at most {ENTRY_BYTES_MAX} are kept",
            compiled.len()
        ));
    }
    Ok(())
}

/// Keeps an entry, and makes room for it.
fn store(folder: &Path, path: &Path, key: &[u8; KEY], compiled: &[u8]) -> Result<(), String> {
    write(path, key, compiled).map_err(|error| error.to_string())?;
    prune(folder, FOLDER_BYTES_MAX);
    Ok(())
}

/// Removes the entries that were used longest ago until the others have at most `bytes_max` together. What cannot be
/// removed stays: it takes room and nothing else.
fn prune(folder: &Path, bytes_max: u64) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| {
        let meta = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        // With what a process left that was ended while it wrote.
        let is_ours = entry.path().extension().is_some_and(|ending| ending == ENDING || ending == "tmp");
        is_ours.then(|| Some((meta.modified().ok()?, meta.len(), entry.path())))?
    });
    let mut entries: Vec<_> = entries.collect();
    entries.sort();
    let mut total: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, bytes, path) in entries {
        if total <= bytes_max {
            return;
        }
        if fs::remove_file(path).is_ok() {
            total -= bytes;
        }
    }
}

/// Says that an entry was used; one whose time cannot be set is removed a little early.
fn used(path: &Path) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the time of a file is the machine's, as are those beside it"
    )]
    let now = std::time::SystemTime::now();
    let _ = fs::File::options().write(true).open(path).and_then(|file| file.set_modified(now));
}

/// Beside its place and then renamed, so that a reader never sees half an entry.
fn write(path: &Path, key: &[u8; KEY], body: &[u8]) -> std::io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{}-{count}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(MAGIC)?;
        file.write_all(key)?;
        file.write_all(blake3::hash(body).as_bytes())?;
        file.write_all(body)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        // What is left of a failed write is worth nothing; failing to remove it changes nothing.
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Profile, engine};

    fn component(label: &str) -> Vec<u8> {
        wat::parse_str(format!("(component (core module (func (export \"{label}\") (loop (br 0)))))"))
            .expect("text")
    }

    fn entries(folder: &Path) -> Vec<PathBuf> {
        let mut paths: Vec<_> =
            fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()).collect();
        paths.sort();
        paths
    }

    #[test]
    fn a_sound_entry_is_used_and_a_damaged_one_is_made_again() {
        let folder = tempfile::tempdir().expect("folder");
        let engine = engine(Profile::Live).expect("engine");
        let cache = Cache::new(&engine, Some(folder.path()));
        let bytes = component("a");
        cache.component(&engine, &bytes).expect("compiles");
        let [path] = &entries(folder.path())[..] else { panic!("one entry") };
        let key = cache.key(&bytes);
        assert!(read(&engine, path, &key).is_some());

        let sound = fs::read(path).expect("entry");
        for place in [0, MAGIC.len(), MAGIC.len() + KEY, HEADER, sound.len() / 2, sound.len() - 1] {
            let mut damaged = sound.clone();
            damaged[place] ^= 1;
            fs::write(path, &damaged).expect("damage it");
            assert!(read(&engine, path, &key).is_none(), "byte {place}");
            cache.component(&engine, &bytes).expect("compiles again");
            assert_eq!(fs::read(path).expect("entry"), sound, "byte {place}");
        }
        for length in [0, 5, HEADER - 1, HEADER, sound.len() - 1] {
            fs::write(path, &sound[..length]).expect("cut it");
            assert!(read(&engine, path, &key).is_none(), "length {length}");
        }
    }

    #[test]
    fn a_full_folder_loses_what_was_used_longest_ago() {
        let folder = tempfile::tempdir().expect("folder");
        let day = std::time::Duration::from_secs(86_400);
        for (name, age) in [("a", 3), ("b", 1), ("c", 2)] {
            let path = folder.path().join(format!("{name}.{ENDING}"));
            fs::write(&path, [0; 100]).expect("written");
            let file = fs::File::options().write(true).open(&path).expect("there");
            file.set_modified(std::time::UNIX_EPOCH + day * (100 - age)).expect("set");
        }
        fs::write(folder.path().join("another's"), [0; 1_000]).expect("written");
        let left = |bytes_max| {
            prune(folder.path(), bytes_max);
            entries(folder.path())
                .iter()
                .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
                .collect()
        };
        let names: Vec<String> = left(300);
        assert_eq!(names, ["a", "another's", "b", "c"]);
        used(&folder.path().join(format!("a.{ENDING}")));
        assert_eq!(left(299), ["a", "another's", "b"]);
        assert_eq!(left(0), ["another's"]);
    }

    #[test]
    fn an_entry_of_another_component_or_setting_is_foreign() {
        let folder = tempfile::tempdir().expect("folder");
        let live = engine(Profile::Live).expect("engine");
        let cache = Cache::new(&live, Some(folder.path()));
        cache.component(&live, &component("a")).expect("compiles");
        let [path] = &entries(folder.path())[..] else { panic!("one entry") };
        assert!(read(&live, path, &cache.key(&component("b"))).is_none());

        let deterministic = engine(Profile::Deterministic).expect("engine");
        let other = Cache::new(&deterministic, Some(folder.path()));
        other.component(&deterministic, &component("a")).expect("compiles");
        assert_eq!(entries(folder.path()).len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_can_write_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("chmod");
        let engine = engine(Profile::Live).expect("engine");
        let cache = Cache::new(&engine, Some(folder.path()));
        cache.component(&engine, &component("a")).expect("compiles all the same");
        assert!(entries(folder.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn an_entry_that_others_can_write_is_not_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("folder");
        let engine = engine(Profile::Live).expect("engine");
        let cache = Cache::new(&engine, Some(folder.path()));
        cache.component(&engine, &component("a")).expect("compiles");
        let [path] = &entries(folder.path())[..] else { panic!("one entry") };
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).expect("chmod");
        assert!(read(&engine, path, &cache.key(&component("a"))).is_none());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_done_without() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("file");
        fs::write(&file, b"").expect("file");
        let engine = engine(Profile::Live).expect("engine");
        let cache = Cache::new(&engine, Some(&file.join("cache")));
        cache.component(&engine, &component("a")).expect("compiles all the same");
    }
}
