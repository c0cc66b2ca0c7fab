//! How a command reaches the account: the host if one answers, else its journal.

use journal::TradingState;
use model::clock::SharedClock;
use model::{OrderId, StrategyName};

use super::ControlError;
use super::client::{Client, ClientError};
use super::offline::{Offline, Writer};
use super::views::{
    OrderLine, OrdersQuery, OrdersView, PositionsView, RunsQuery, RunsView, StatusView, TradingView,
    TrailView,
};
use super::wire::{Request, VerdictWord};
use crate::config::Config;
use crate::exit::{Exit, Failure};

/// The host, or its journal.
#[derive(Debug)]
pub enum Access {
    /// A host answers.
    Host(Client),
    /// None does, and this is its journal.
    Journal(Box<Offline>),
    /// None does, and there never was one.
    Nothing,
}

/// Connects to the host, or opens its journal.
pub fn reach(config: &Config, clock: &SharedClock) -> Result<Access, Failure> {
    match Client::connect(&config.control_socket) {
        Ok(client) => Ok(Access::Host(client)),
        Err(ClientError::NobodyThere(_)) => Ok(match Offline::open(config, SharedClock::clone(clock))? {
            Some(journal) => Access::Journal(Box::new(journal)),
            None => Access::Nothing,
        }),
        Err(error) => Err(error.into()),
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match &error {
            ClientError::NobodyThere(_) | ClientError::Silent { .. } => Exit::Unavailable,
            ClientError::Forbidden(_) => Exit::Permission,
            ClientError::Protocol(_)
            | ClientError::NotFound(_)
            | ClientError::Denied(_)
            | ClientError::Failed(_) => Exit::General,
        };
        let failure = Self::new(exit, error);
        match exit {
            Exit::Unavailable => {
                failure.hint("look at the host's log; `tradeagent status` tells more once it answers")
            }
            _ => failure,
        }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        Self::general(anyhow::Error::from(error))
    }
}

impl Access {
    fn nothing(config: &Config) -> Failure {
        Failure::unavailable(anyhow::anyhow!(
            "no host runs for account `{}`, and there is no journal at {}",
            config.account.name,
            config.journal_path().display()
        ))
        .hint("`tradeagent run` starts a host; --config says which account and state_dir are meant")
    }

    /// What is going on.
    pub fn status(&mut self, config: &Config) -> Result<StatusView, Failure> {
        match self {
            Self::Host(client) => Ok(client.ask(&Request::Status)?),
            Self::Journal(journal) => Ok(journal.status()?),
            Self::Nothing => Err(Self::nothing(config)),
        }
    }

    /// Orders of a day.
    pub fn orders(&mut self, config: &Config, query: OrdersQuery) -> Result<OrdersView, Failure> {
        match self {
            Self::Host(client) => Ok(client.ask(&Request::Orders(query))?),
            Self::Journal(journal) => Ok(journal.orders(&query)?),
            Self::Nothing => Err(Self::nothing(config)),
        }
    }

    /// One order's trail.
    pub fn trail(&mut self, config: &Config, order: &str) -> Result<TrailView, Failure> {
        match self {
            Self::Host(client) => Ok(client.ask(&Request::Order { id: order.to_owned() })?),
            Self::Journal(journal) => Ok(journal.trail(order)?),
            Self::Nothing => Err(Self::nothing(config)),
        }
    }

    /// What the system owns.
    pub fn positions(&mut self, config: &Config) -> Result<PositionsView, Failure> {
        match self {
            Self::Host(client) => Ok(client.ask(&Request::Positions)?),
            Self::Journal(journal) => Ok(journal.positions()?),
            Self::Nothing => Err(Self::nothing(config)),
        }
    }

    /// Runs.
    pub fn runs(&mut self, config: &Config, query: RunsQuery) -> Result<RunsView, Failure> {
        match self {
            Self::Host(client) => Ok(client.ask(&Request::Runs(query))?),
            Self::Journal(journal) => Ok(journal.runs(&query)?),
            Self::Nothing => Err(Self::nothing(config)),
        }
    }

    /// What may be done.
    pub fn trading(&mut self, config: &Config) -> Result<TradingView, Failure> {
        match self {
            Self::Host(client) => Ok(client.ask(&Request::Trading)?),
            Self::Journal(journal) => Ok(journal.trading()?),
            Self::Nothing => Err(Self::nothing(config)),
        }
    }

    /// Sets what may be done; works with the host down, and before the first start.
    pub fn set_trading(
        self,
        config: &Config,
        clock: SharedClock,
        state: TradingState,
    ) -> Result<TradingView, Failure> {
        match self {
            Self::Host(mut client) => Ok(client.ask(&Request::SetTrading { state, note: None })?),
            Self::Journal(_) | Self::Nothing => {
                drop(self);
                Ok(Writer::open(config, "kill-switch", clock)?.set_trading(state, &who())?)
            }
        }
    }

    /// Gives the operator's word on an order; works with the host down.
    pub fn resolve(
        self,
        config: &Config,
        clock: SharedClock,
        order: OrderId,
        verdict: VerdictWord,
        note: Option<String>,
    ) -> Result<OrderLine, Failure> {
        match self {
            Self::Host(mut client) => Ok(client.ask(&Request::Resolve { order, verdict, note })?),
            Self::Journal(_) => {
                drop(self);
                let by = note.map_or_else(who, |note| format!("{}: {note}", who()));
                Writer::open(config, "orders resolve", clock)?.resolve(order, verdict.into(), &by)
            }
            Self::Nothing => Err(Self::nothing(config)),
        }
    }

    /// Sets a quarantined strategy free; works with the host down.
    pub fn release(self, config: &Config, clock: SharedClock, strategy: StrategyName) -> Result<(), Failure> {
        match self {
            Self::Host(mut client) => Ok(client.ask(&Request::Release { strategy, note: None })?),
            Self::Journal(_) => {
                drop(self);
                Ok(Writer::open(config, "plugin release", clock)?.release(&strategy, &who())?)
            }
            Self::Nothing => Err(Self::nothing(config)),
        }
    }
}

/// This user, for the auditor.
pub fn who() -> String {
    #[cfg(unix)]
    return super::door::user_name(rustix::process::getuid().as_raw());
    #[cfg(not(unix))]
    std::env::var("USERNAME").unwrap_or_else(|_| "operator".to_owned())
}
