//! What the commands have in common that ask about the account.

use model::clock::SharedClock;

use crate::cli::ReadArgs;
use crate::config::Config;
use crate::control::views::Source;
use crate::control::{Access, reach};
use crate::exit::Failure;
use crate::{clock, output};

/// The account that a command is about.
pub struct Account {
    /// Its configuration.
    pub config: Config,
    /// The machine's clock.
    pub clock: SharedClock,
    /// Its host or its journal.
    pub access: Access,
}

/// Reads the configuration and connects.
pub fn open(args: &ReadArgs) -> Result<Account, Failure> {
    let config = Config::load(args.config.path().as_deref())?;
    let clock = clock::system();
    let access = reach(&config, &clock)?;
    Ok(Account { config, clock, access })
}

/// Says on standard error when it is not the host that answers.
pub fn say_source(source: Source) {
    if source == Source::Journal {
        output::talk("no host runs; this is from the journal");
    }
}

/// A time for a table: day and minute in Mumbai.
pub fn short(at: model::Timestamp) -> String {
    at.ist().format("%d %b %H:%M").to_string()
}
