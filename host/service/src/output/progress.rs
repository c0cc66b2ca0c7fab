//! Progress on long work: a bar on a terminal, elsewhere a plain line now and then, always on stderr.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How many plain lines a long work writes at most.
const LINES: u64 = 10;

/// The progress of one piece of work.
#[derive(Debug)]
pub struct Progress {
    label: String,
    total: u64,
    bar: Option<ProgressBar>,
    said: AtomicU64,
}

impl Progress {
    /// Of work with `total` steps.
    pub fn new(label: &str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {wide_msg} {eta}");
            // The template is a constant; without it the bar is only plainer.
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.set_prefix(label.to_owned());
            bar
        });
        Self { label: label.to_owned(), total, bar, said: AtomicU64::new(0) }
    }

    /// `done` steps are done; `what` is worked on.
    pub fn set(&self, done: u64, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(super::plain(what));
            bar.set_position(done);
        } else if let Some(text) = self.line(done, what) {
            super::talk(&text);
        }
    }

    /// The plain line, when one is due.
    fn line(&self, done: u64, what: &str) -> Option<String> {
        let tenth = done.saturating_mul(LINES).checked_div(self.total).unwrap_or(LINES).min(LINES);
        let last = self.said.fetch_max(tenth, Ordering::Relaxed);
        (tenth > last).then(|| format!("{}: {done} of {} ({})", self.label, self.total, super::plain(what)))
    }

    /// It is done: the bar goes away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_a_long_work_writes_a_few_lines() {
        let progress = Progress { label: "import".into(), total: 1_000, bar: None, said: AtomicU64::new(0) };
        let lines: Vec<String> = (0..=1_000).filter_map(|done| progress.line(done, "x")).collect();
        assert_eq!(lines.len(), 10);
        assert_eq!(lines[0], "import: 100 of 1000 (x)");
        assert_eq!(lines[9], "import: 1000 of 1000 (x)");
        let nothing = Progress { label: "n".into(), total: 0, bar: None, said: AtomicU64::new(0) };
        assert_eq!(nothing.line(0, "y"), Some("n: 0 of 0 (y)".to_owned()));
    }
}
