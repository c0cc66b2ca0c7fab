//! Where tapes go: through a queue to a thread, or straight to the file.

use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Report, RunId};
use runtime::Loaded;
use runtime::tape::{Call, Dropped, Ended, Tape, TapeSink};

use super::{Keep, RecordingError, Writer};

/// Tapes that may wait for the disk,
const QUEUE: usize = 256;
/// and their bytes together.
const QUEUE_BYTES: usize = 256 << 20;
/// How long the end of the host waits for what is in the queue.
const LAST_WORDS: Duration = Duration::from_millis(500);

struct Waiting {
    tape: Tape,
    loaded: Loaded,
    bytes: usize,
}

/// Writes in a thread of its own. What does not fit into its queue is dropped: trading does not wait.
pub struct Recorder {
    queue: Option<SyncSender<Waiting>>,
    queued: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
    ended: Mutex<Receiver<()>>,
}

impl Recorder {
    /// Into `folder`.
    pub fn start(folder: &Path, keep: Keep) -> Result<Self, RecordingError> {
        let mut writer = Writer::new(folder, Some(keep))?;
        Self::with(QUEUE, move |tape, component| writer.write(tape, component))
    }

    /// With another queue and another way to write.
    pub(super) fn with(
        queue: usize,
        mut write: impl FnMut(Tape, &[u8]) -> Result<(), RecordingError> + Send + 'static,
    ) -> Result<Self, RecordingError> {
        let (sender, waiting) = mpsc::sync_channel::<Waiting>(queue);
        let (tell, ended) = mpsc::sync_channel(1);
        let (queued, lost) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
        let (left, gone) = (Arc::clone(&queued), Arc::clone(&lost));
        let work = move || {
            for Waiting { tape, loaded, bytes } in waiting {
                let run = tape.info.id.clone();
                if let Err(error) = write(tape, loaded.bytes()) {
                    warn(&gone, &run, &error);
                }
                left.fetch_sub(bytes, Ordering::Relaxed);
            }
            let _ = tell.send(());
        };
        std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(work)
            .map_err(RecordingError::Thread)?;
        Ok(Self { queue: Some(sender), queued, lost, ended: Mutex::new(ended) })
    }

    /// Runs that could not be recorded.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Counts, and says it the first time: a full disk would say it each minute.
fn warn(lost: &AtomicU64, run: &RunId, why: &dyn std::fmt::Display) {
    if lost.fetch_add(1, Ordering::Relaxed) == 0 {
        tracing::warn!(%run, "a run was not recorded, and more may not be (told once): {why}");
    }
}

/// Counted and not put into words: the strategy's next run waits for it.
fn report_size(report: &Report) -> usize {
    let skipped = report.skipped.iter().map(|skip| skip.subject.len() + skip.reason.len());
    let figures = report.figures.iter().map(|(name, value)| name.len() + value.len());
    report.summary.len() + skipped.sum::<usize>() + figures.sum::<usize>()
}

/// What a tape takes of memory, about.
fn size(tape: &Tape) -> usize {
    let calls = tape.calls.iter().map(|call| size_of::<Call>() + call.arguments.len() + call.answer.len());
    let state = tape.end.state.iter();
    let state = state.map(|(key, value)| key.len() + value.as_ref().map_or(0, |value| value.0.len()));
    let words = match &tape.end.ended {
        Ended::Done(report) => report.as_ref().map_or(0, report_size),
        Ended::Failed(_, why) | Ended::Stopped { why, .. } => why.len(),
    };
    calls.sum::<usize>() + state.sum::<usize>() + words
}

impl TapeSink for Recorder {
    fn take(&self, tape: Tape, loaded: &Loaded) {
        let (run, bytes) = (tape.info.id.clone(), size(&tape));
        let full = self.queued.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > QUEUE_BYTES;
        let waiting = Waiting { tape, loaded: loaded.clone(), bytes };
        let sent = !full && self.queue.as_ref().is_some_and(|queue| queue.try_send(waiting).is_ok());
        if !sent {
            self.queued.fetch_sub(bytes, Ordering::Relaxed);
            warn(&self.lost, &run, &"the disk does not keep up");
        }
    }

    fn dropped(&self, run: &RunId, why: Dropped) {
        warn(&self.lost, run, &why);
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.queue = None;
        // What is not on the disk by then is lost, as it would be in a crash.
        let _ = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(LAST_WORDS);
    }
}

/// Writes at once, for simulations, where nothing has to be in time and nothing may be missing.
pub struct Direct {
    inner: Mutex<(Writer, Option<RecordingError>)>,
}

impl Direct {
    /// Into `folder`.
    pub fn new(folder: &Path) -> Result<Self, RecordingError> {
        Ok(Self { inner: Mutex::new((Writer::new(folder, None)?, None)) })
    }

    /// The first thing that went wrong.
    pub fn finish(&self) -> Result<(), RecordingError> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).1.take().map_or(Ok(()), Err)
    }
}

impl TapeSink for Direct {
    fn take(&self, tape: Tape, loaded: &Loaded) {
        let (writer, failed) = &mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_none()
            && let Err(error) = writer.write(tape, loaded.bytes())
        {
            *failed = Some(error);
        }
    }

    fn dropped(&self, run: &RunId, why: Dropped) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let why = std::io::Error::other(format!("{run} was not recorded: {why}"));
        inner.1.get_or_insert(RecordingError::Io { path: "recording".into(), source: why });
    }
}
