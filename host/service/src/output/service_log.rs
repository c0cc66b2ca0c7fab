//! The log of a Windows service: everything in files by day, and warnings in the event log, where operators
//! look first.

use std::io::{self, Write};
use std::path::Path;
use std::ptr::{null, null_mut};

use anyhow::Context as _;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, filter::LevelFilter, fmt};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::EventLog::{
    EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE, RegisterEventSourceW, ReportEventW,
};

use crate::exit::Failure;
use crate::supervisor::NAME;

/// Days of log files that are kept.
const DAYS: usize = 30;
/// `EventCreate.exe`, which is the message file of this source, shows the events 1 to 1000 as they are.
const EVENT: u32 = 1;
/// The most characters of one entry (ReportEventW: 31,839).
const CHARACTERS_MAX: usize = 30_000;

/// Sends the log to files in `folder`, one a day, and warnings to the event log.
///
/// # Errors
/// When the folder cannot be used.
pub fn log_as_service(folder: &Path) -> Result<(), Failure> {
    let files = tracing_appender::rolling::Builder::new()
        .rotation(tracing_appender::rolling::Rotation::DAILY)
        .filename_prefix(NAME)
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(folder)
        .with_context(|| format!("the log cannot be written in {}", folder.display()))?;
    let filter = EnvFilter::try_from_env("TRADEAGENT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let file = fmt::layer()
        .with_writer(std::sync::Mutex::new(files))
        .with_ansi(false)
        .with_target(false)
        .with_filter(filter);
    let events = fmt::layer()
        .with_writer(EventLog)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .with_level(false)
        .with_filter(LevelFilter::WARN);
    // Whoever was first has set it.
    let _ = tracing_subscriber::registry().with(file).with(events).try_init();
    Ok(())
}

/// Why the service ends, where the log may not have begun yet.
pub fn log_last_words(text: &str) {
    tracing::error!("{}", text.trim_end());
    // A subscriber that is there has told the event log already.
    if tracing::dispatcher::get_default(|now| now.is::<tracing::subscriber::NoSubscriber>()) {
        report(EVENTLOG_ERROR_TYPE, text);
    }
}

struct EventLog;

/// One entry, told when it is dropped.
struct EntryWriter {
    kind: u16,
    text: Vec<u8>,
}

impl<'a> MakeWriter<'a> for EventLog {
    type Writer = EntryWriter;

    fn make_writer(&'a self) -> EntryWriter {
        EntryWriter { kind: EVENTLOG_INFORMATION_TYPE, text: Vec::new() }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> EntryWriter {
        let kind = match *meta.level() {
            Level::ERROR => EVENTLOG_ERROR_TYPE,
            Level::WARN => EVENTLOG_WARNING_TYPE,
            _ => EVENTLOG_INFORMATION_TYPE,
        };
        EntryWriter { kind, text: Vec::new() }
    }
}

impl Write for EntryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for EntryWriter {
    fn drop(&mut self) {
        report(self.kind, &String::from_utf8_lossy(&self.text));
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().filter(|unit| *unit != 0).take(CHARACTERS_MAX).chain([0]).collect()
}

/// Puts an entry into the event log; where that does not work, the file has it.
fn report(kind: u16, text: &str) {
    let (source, text) = (wide(NAME), wide(text.trim_end()));
    let strings = [text.as_ptr()];
    // SAFETY: both texts end with a zero and live until the calls have returned; `strings` holds one of them,
    // as its count says. The handle is used once and is given back.
    unsafe {
        let log: HANDLE = RegisterEventSourceW(null(), source.as_ptr());
        if log.is_null() {
            return;
        }
        ReportEventW(log, kind, 0, EVENT, null_mut(), 1, 0, strings.as_ptr(), null());
        windows_sys::Win32::System::EventLog::DeregisterEventSource(log);
    }
}
