//! The disk: what a bare sync takes, and how many an order costs.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::figures::nanos;
use crate::marks::instant;

/// Tells the program, started again, to count: the folder to work in.
pub const COUNT: &str = "FIRST_BYTE_COUNT";
/// Pages that the file has before it is measured, so that a sync writes no new size.
const PAGES: usize = 1_000;

/// A file whose pages are written over.
pub struct Bare {
    file: File,
}

impl Bare {
    /// In `folder`.
    pub fn new(folder: &Path) -> Self {
        let mut file = File::create(folder.join("bare")).expect("a file");
        for _ in 0..PAGES {
            file.write_all(&[7; 4096]).expect("written");
        }
        file.sync_all().expect("synced");
        Self { file }
    }

    /// One page written over and synced, in nanoseconds.
    pub fn sync(&mut self) -> u64 {
        let begun = instant();
        self.file.rewind().expect("rewound");
        self.file.write_all(&[9; 4096]).expect("written");
        self.file.sync_data().expect("synced");
        nanos(begun, instant())
    }
}

/// How often this process asked the disk to sync, when it was started by [`count_in_another_process`].
pub struct Syncs(PathBuf);

impl Syncs {
    /// Counted in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self(folder.join("syncs"))
    }

    /// Until now.
    pub fn so_far(&self) -> u64 {
        std::fs::metadata(&self.0).map_or(0, |log| log.len())
    }
}

/// Starts this program again with a counter in front of libc.
pub fn count_in_another_process(folder: &Path) {
    let library = folder.join("sync_count.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../journal/tests/sync_count.c");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
    if !built.is_ok_and(|status| status.success()) {
        println!(
            "  not counted: there is no C compiler named cc (cargo test -p oms --test fsync counts too)"
        );
        return;
    }
    let ended = Command::new(std::env::current_exe().expect("this program"))
        .env(COUNT, folder)
        .env("LD_PRELOAD", &library)
        .env("SYNC_LOG", folder.join("syncs"))
        .status()
        .expect("it starts");
    assert!(ended.success(), "the count failed");
}
