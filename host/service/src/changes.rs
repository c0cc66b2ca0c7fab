//! Files that somebody else changes: told of it by the system, and waited for until they have come to rest.

use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

/// Wakes whoever looks at files when something in `folders` has changed, but for what is below `made`. None: the
/// system does not tell, and who looks has to do so from time to time, which it does in any case. Ends with its
/// answer.
pub fn wake_at_changes(
    folders: impl IntoIterator<Item = (PathBuf, RecursiveMode)>,
    made: Option<PathBuf>,
    wake: SyncSender<()>,
) -> Option<RecommendedWatcher> {
    let is_made = move |path: &PathBuf| made.as_ref().is_some_and(|made| path.starts_with(made));
    let tell = move |event: notify::Result<notify::Event>| {
        let is_change = event.is_ok_and(|event| {
            // One without a path says that others were lost.
            let is_ours = !event.paths.is_empty() && event.paths.iter().all(&is_made);
            // Reading a file is an event as well, and would wake the thread that reads.
            !event.kind.is_access() && !is_ours
        });
        if is_change {
            // Full: it is going to look.
            let _ = wake.try_send(());
        }
    };
    let mut notifier = match notify::recommended_watcher(tell) {
        Ok(notifier) => notifier,
        Err(error) => {
            tracing::warn!(%error, "the system does not tell of changes: they are seen within a second");
            return None;
        }
    };
    for (folder, mode) in folders {
        if let Err(error) = notifier.watch(&folder, mode) {
            tracing::debug!(%error, "{} is not watched; it is looked at each second", folder.display());
        }
    }
    Some(notifier)
}

/// What `look` sees once two looks `rest` apart have seen the same, the first of them being `seen`; none when that
/// has not come after `looks` of them.
#[expect(
    clippy::disallowed_methods,
    reason = "files come to rest in real time, and the thread that asks has nothing else to do"
)]
pub fn at_rest<T: PartialEq>(
    mut seen: T,
    rest: Duration,
    looks: impl IntoIterator,
    look: impl Fn() -> T,
) -> Option<T> {
    for _ in looks {
        std::thread::sleep(rest);
        let now = look();
        if now == seen {
            return Some(now);
        }
        seen = now;
    }
    None
}
