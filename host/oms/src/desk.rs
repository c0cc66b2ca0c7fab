//! The desk itself: what it is made of, and how its parts are locked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::Broker;
use journal::{Alert, Entry, Journal, JournalError, Severity};
use model::clock::SharedClock;
use model::{OrderError, Timestamp};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Notify;

use crate::book::Book;
use crate::config::{Blocking, DeskConfig, DeskError, MarketView};
use crate::permit::Limiter;
use crate::replay;

/// The order desk of one account. Clones share it.
#[derive(Clone)]
pub struct Desk {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: DeskConfig,
    /// Taken before `book`, held over a commit: what is written has the order in which it was decided.
    journal: Mutex<Box<dyn Journal>>,
    book: Mutex<Book>,
    pub(crate) limiter: Mutex<Limiter>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) clock: SharedClock,
    pub(crate) view: Arc<dyn MarketView>,
    /// One reconciliation at a time. No other lock is taken across a broker call.
    pub(crate) reconciling: tokio::sync::Mutex<()>,
    /// The last call came back.
    pub(crate) idle: Notify,
    /// A call had no clear answer.
    pub(crate) doubt: Notify,
}

/// A panic elsewhere does not make the data here wrong: every change is made whole under the lock.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// Stands up on what the journal has. An attempt without an answer is Unknown from here on; call
    /// [`Desk::reconcile`] before any strategy runs.
    pub fn open(
        config: DeskConfig,
        mut journal: Box<dyn Journal>,
        broker: Arc<dyn Broker>,
        clock: SharedClock,
        view: Arc<dyn MarketView>,
    ) -> Result<Self, DeskError> {
        if config.orders_per_second == 0 || config.cancel_reserve >= config.orders_per_second {
            return Err(DeskError::Config {
                what: format!(
                    "orders_per_second = {} with cancel_reserve = {}",
                    config.orders_per_second, config.cancel_reserve
                ),
                fix: "the reserve must be smaller than the rate, and the rate at least 1",
            });
        }
        let book = replay::replay(&config, journal.as_mut(), clock.now())?;
        let limiter = Limiter::new(config.orders_per_second, config.cancel_reserve);
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                journal: Mutex::new(journal),
                book: Mutex::new(book),
                limiter: Mutex::new(limiter),
                broker,
                clock,
                view,
                reconciling: tokio::sync::Mutex::new(()),
                idle: Notify::new(),
                doubt: Notify::new(),
            }),
        })
    }

    /// Lets `f` use the journal: runs, state, alerts. Nothing is decided or sent meanwhile, so be quick.
    pub fn with_journal<R>(&self, f: impl FnOnce(&mut dyn Journal) -> R) -> R {
        f(lock(&self.inner.journal).as_mut())
    }

    /// Waits until a call has no clear answer: time to [`Desk::reconcile`]. For one waiter; a doubt that
    /// arose before the call is told at once.
    pub async fn doubt(&self) {
        self.inner.doubt.notified().await;
    }

    /// Why nothing is sent any more, when the journal could not be written; a restart is needed.
    pub fn halted(&self) -> Option<String> {
        self.inner.book().halted.clone()
    }
}

impl Inner {
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Box<dyn Journal>> {
        lock(&self.journal)
    }

    pub(crate) fn is_inline(&self) -> bool {
        self.config.blocking == Blocking::Inline
    }

    /// Runs a step that may wait for the disk where that holds up nobody: on the worker at hand, whose other
    /// tasks go elsewhere meanwhile (a thread of the blocking pool costs two wake-ups, 30 to 80 us of an
    /// order's way), or on that pool where the runtime has but one worker.
    pub(crate) async fn step<R: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> R + Send + 'static,
    ) -> Result<R, OrderError> {
        if self.config.blocking != Blocking::Threaded {
            return Ok(work(self));
        }
        let failed = || OrderError::Desk("the order desk failed; see the log, then start again".to_owned());
        if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
            let step = AssertUnwindSafe(|| tokio::task::block_in_place(|| work(self)));
            return catch_unwind(step).map_err(|_| failed());
        }
        let desk = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&desk)).await.map_err(|_| failed())
    }

    /// Trading stops at once: what cannot be written must not happen.
    pub(crate) fn halt(&self, error: &JournalError) -> OrderError {
        let why = error.to_string();
        self.book().halted.get_or_insert_with(|| why.clone());
        OrderError::Desk(why)
    }

    /// Whether a new intent may be begun.
    pub(crate) fn is_open(book: &Book) -> Result<(), OrderError> {
        if let Some(why) = &book.halted {
            return Err(OrderError::Desk(why.clone()));
        }
        if book.closing {
            return Err(OrderError::Desk("the host is stopping: no new orders".to_owned()));
        }
        Ok(())
    }
}

/// An alert of the desk.
pub(crate) fn alert(key: String, severity: Severity, text: String, at: Timestamp) -> Entry {
    Entry::Alert(Alert { key, severity, source: "desk".to_owned(), text, at })
}
