//! Between the contract's types and the model's. Nothing is decided here.

use calendar::Phase;
use chrono::Datelike as _;
use model::{
    Date, DayAccount, Difference, Exchange, Funds, Holding, Instrument, InstrumentClass, OrderError,
    OrderTerms, OrderType, OrderView, Placed, PositionView, Price, Product, Quantity, ReadError, Report,
    Side, Skip, Status, Validity,
};

use crate::bindings::tradeagent::strategy::{log, market as wit_market, notify, portfolio, run, types};
use crate::host::cut;
use crate::outcome::{RunResult, TaskErrorKind};
use crate::run::{Bar, Cause, Feed, Mode};
use crate::services::{SessionView, Severity};

pub(crate) fn date(date: Date) -> types::Date {
    // The exchange's calendar stays far inside `u16`.
    let year = u16::try_from(date.year()).unwrap_or_default();
    types::Date { year, month: date.month() as u8, day: date.day() as u8 }
}

impl From<&Cause> for types::Cause {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Scheduled => Self::Scheduled,
            Cause::Bar { feed, bar } => Self::Bar(types::BarEvent { feed: *feed, bar: bar.into() }),
            Cause::Order(id) => Self::Order(id.to_string()),
            Cause::Manual => Self::Manual,
            Cause::Resumed => Self::Resumed,
        }
    }
}

impl From<&Bar> for types::Bar {
    fn from(bar: &Bar) -> Self {
        Self {
            start: bar.start.nanos(),
            open: bar.open.units(),
            high: bar.high.units(),
            low: bar.low.units(),
            close: bar.close.units(),
            volume: bar.volume,
        }
    }
}

/// A report goes into the journal with every run: its texts are cut to this many bytes,
const REPORT_TEXT_BYTES: usize = 2_000;
/// and its lists to this many lines.
const REPORT_LINES: usize = 5_000;

impl From<types::Report> for Report {
    fn from(report: types::Report) -> Self {
        let short = |text: String| cut(text, REPORT_TEXT_BYTES);
        let skipped = report
            .skipped
            .into_iter()
            .map(|skip| Skip { subject: short(skip.subject), reason: short(skip.reason) });
        // A later SDK's extras are figures too.
        let figures =
            report.figures.into_iter().chain(report.extras).map(|(name, value)| (short(name), short(value)));
        Self {
            summary: short(report.summary),
            skipped: skipped.take(REPORT_LINES).collect(),
            figures: figures.take(REPORT_LINES).collect(),
        }
    }
}

/// How a run ended by itself.
pub(crate) fn result(result: Result<Option<types::Report>, types::TaskError>) -> RunResult {
    match result {
        Ok(report) => RunResult::Done(report.map(Into::into)),
        Err(error) => {
            let (kind, why) = task_error(error);
            RunResult::Failed(kind, why)
        }
    }
}

fn task_error(error: types::TaskError) -> (TaskErrorKind, String) {
    let (kind, why) = match error {
        types::TaskError::Config(why) => (TaskErrorKind::Config, why),
        types::TaskError::Data(why) => (TaskErrorKind::Data, why),
        types::TaskError::Failed(why) => (TaskErrorKind::Failed, why),
    };
    (kind, cut(why, REPORT_TEXT_BYTES))
}

impl From<Mode> for run::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Live => Self::Live,
            Mode::Paper => Self::Paper,
            Mode::Simulation => Self::Simulation,
            Mode::Backtest => Self::Backtest,
        }
    }
}

impl From<&Feed> for run::Feed {
    fn from(feed: &Feed) -> Self {
        Self { symbol: feed.symbol.to_string(), interval: feed.interval.into(), extras: Vec::new() }
    }
}

impl From<market::Interval> for wit_market::Interval {
    fn from(interval: market::Interval) -> Self {
        match interval {
            market::Interval::Minute => Self::Minute,
            market::Interval::Day => Self::Day,
        }
    }
}

impl From<wit_market::Interval> for market::Interval {
    fn from(interval: wit_market::Interval) -> Self {
        match interval {
            wit_market::Interval::Minute => Self::Minute,
            wit_market::Interval::Day => Self::Day,
        }
    }
}

impl From<wit_market::InstrumentFilter> for market::InstrumentFilter {
    fn from(filter: wit_market::InstrumentFilter) -> Self {
        Self {
            exchange: None,
            series: filter.series,
            symbols: filter.symbols.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<InstrumentClass> for wit_market::InstrumentClass {
    fn from(class: InstrumentClass) -> Self {
        match class {
            InstrumentClass::WithoutDerivatives => Self::WithoutDerivatives,
            InstrumentClass::WithDerivatives => Self::WithDerivatives,
        }
    }
}

impl From<Instrument> for wit_market::Instrument {
    fn from(it: Instrument) -> Self {
        let exchange = match it.exchange {
            Exchange::Nse => "NSE",
            Exchange::Bse => "BSE",
        };
        Self {
            symbol: it.symbol.to_string(),
            exchange: exchange.to_owned(),
            isin: it.isin,
            tick: it.tick.step().units(),
            lot: it.lot.get(),
            freeze: it.freeze.get(),
            band_low: it.band.0.units(),
            band_high: it.band.1.units(),
            previous_close: it.previous_close.units(),
            trade_to_trade: it.series.is_trade_to_trade(),
            has_derivatives: it.has_derivatives,
            series: it.series.0,
            extras: Vec::new(),
        }
    }
}

impl From<market::Quote> for wit_market::Quote {
    fn from(quote: market::Quote) -> Self {
        Self {
            symbol: quote.symbol.to_string(),
            last: quote.last.units(),
            at: quote.at.nanos(),
            open: quote.open.units(),
            high: quote.high.units(),
            low: quote.low.units(),
            previous_close: quote.previous_close.units(),
            volume: quote.volume,
            extras: Vec::new(),
        }
    }
}

impl From<market::Candles> for wit_market::Candles {
    fn from(candles: market::Candles) -> Self {
        Self {
            symbol: candles.symbol.to_string(),
            start: candles.start,
            open: candles.open,
            high: candles.high,
            low: candles.low,
            close: candles.close,
            volume: candles.volume,
        }
    }
}

/// The exchange's finer phases by the five that a strategy acts on.
impl From<Phase> for wit_market::Phase {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Closed => Self::Closed,
            Phase::PreOpen | Phase::PreOpenLimitOnly | Phase::PreOpenMatching | Phase::PreOpenBuffer => {
                Self::PreOpen
            }
            Phase::Continuous => Self::Continuous,
            Phase::ClosingAuctionReference
            | Phase::ClosingAuctionEntry
            | Phase::ClosingAuctionLimitOnly
            | Phase::ClosingAuctionMatching => Self::ClosingAuction,
            Phase::PostClose => Self::PostClose,
        }
    }
}

impl From<SessionView> for wit_market::Session {
    fn from(session: SessionView) -> Self {
        let phases = session.phases.into_iter().map(|(class, window)| wit_market::PhaseWindow {
            class: class.into(),
            phase: window.phase.into(),
            start: window.start.nanos(),
            end: window.end.nanos(),
        });
        Self {
            trading_day: date(session.trading_day),
            is_trading_day: session.is_trading_day,
            phase: session.phase.into(),
            phases: phases.collect(),
            next_trading_day: date(session.next_trading_day),
            previous_trading_day: date(session.previous_trading_day),
            extras: Vec::new(),
        }
    }
}

impl From<ReadError> for types::ReadError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound(what) => Self::NotFound(what),
            ReadError::Stale(what) => Self::Stale(what),
            ReadError::Unavailable(what) => Self::Unavailable(what),
            ReadError::Denied(what) => Self::Denied(what),
        }
    }
}

impl From<OrderError> for types::OrderError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Denied { rule, reason } => {
                Self::Denied(types::Denial { rule: rule.to_owned(), reason })
            }
            OrderError::Refused { code, reason } => Self::Refused(types::Refusal { code, reason }),
            OrderError::Unknown(id) => Self::Unknown(id.to_string()),
            OrderError::NotNow { phase, reason } => Self::NotNow(types::WrongPhase { phase, reason }),
            OrderError::Desk(why) => Self::Other(why),
        }
    }
}

/// The request's terms on `side`.
pub(crate) fn terms(request: &types::OrderRequest, side: Side) -> OrderTerms {
    OrderTerms {
        symbol: request.symbol.as_str().into(),
        side,
        order_type: match request.order_type {
            types::OrderType::Limit => OrderType::Limit,
            types::OrderType::Market => OrderType::Market,
            types::OrderType::StopLimit => OrderType::StopLimit,
            types::OrderType::StopMarket => OrderType::StopMarket,
        },
        product: match request.product {
            types::Product::Delivery => Product::Delivery,
            types::Product::Intraday => Product::Intraday,
        },
        validity: match request.validity {
            types::Validity::Day => Validity::Day,
            types::Validity::Ioc => Validity::Ioc,
        },
        quantity: Quantity::new(request.quantity),
        price: Price::from_units(request.price),
        trigger: request.trigger.map(Price::from_units),
        amo: request.amo,
    }
}

impl From<Status> for types::Status {
    fn from(status: Status) -> Self {
        match status {
            Status::PendingNew => Self::PendingNew,
            Status::New => Self::New,
            Status::PendingTrigger => Self::PendingTrigger,
            Status::QueuedAmo => Self::QueuedAmo,
            Status::PendingReplace => Self::PendingReplace,
            Status::PendingCancel => Self::PendingCancel,
            Status::PartiallyFilled => Self::PartiallyFilled,
            Status::Filled => Self::Filled,
            Status::Canceled => Self::Canceled,
            Status::Rejected => Self::Rejected,
            Status::Expired => Self::Expired,
            Status::Unknown => Self::Unknown,
            Status::NotPlaced => Self::NotPlaced,
            Status::Parked => Self::Parked,
            Status::Other(text) => Self::Other(text),
        }
    }
}

impl From<Placed> for types::Placed {
    fn from(placed: Placed) -> Self {
        Self {
            id: placed.id.to_string(),
            status: placed.status.into(),
            filled: placed.filled.get(),
            average: placed.average.units(),
        }
    }
}

impl From<OrderView> for types::Order {
    fn from(order: OrderView) -> Self {
        let terms = order.terms;
        let extras = order.broker_id.map(|id| ("broker-id".to_owned(), id.to_string()));
        Self {
            id: order.id,
            strategy: order.strategy.map(|name| name.to_string()),
            key: order.key,
            symbol: terms.symbol.to_string(),
            side: match terms.side {
                Side::Buy => types::Side::Buy,
                Side::Sell => types::Side::Sell,
            },
            order_type: match terms.order_type {
                OrderType::Limit => types::OrderType::Limit,
                OrderType::Market => types::OrderType::Market,
                OrderType::StopLimit => types::OrderType::StopLimit,
                OrderType::StopMarket => types::OrderType::StopMarket,
            },
            product: match terms.product {
                Product::Delivery => types::Product::Delivery,
                Product::Intraday => types::Product::Intraday,
            },
            validity: match terms.validity {
                Validity::Day => types::Validity::Day,
                Validity::Ioc => types::Validity::Ioc,
            },
            quantity: terms.quantity.get(),
            price: terms.price.units(),
            trigger: terms.trigger.map(Price::units),
            amo: terms.amo,
            status: order.status.into(),
            filled: order.filled.get(),
            average: order.average.units(),
            for_session: date(order.for_session),
            placed_at: order.placed_at.nanos(),
            reason: order.reason,
            extras: extras.into_iter().collect(),
        }
    }
}

impl From<PositionView> for portfolio::Position {
    fn from(view: PositionView) -> Self {
        let position = view.position;
        Self {
            symbol: position.symbol.to_string(),
            quantity: position.quantity.get(),
            settled: position.settled.get(),
            unsettled: position.unsettled().get(),
            in_working_sells: view.in_working_sells.get(),
            free: view.free.get(),
            cost: position.cost.units(),
            opened: date(position.opened),
            extras: Vec::new(),
        }
    }
}

impl From<Holding> for portfolio::Holding {
    fn from(holding: Holding) -> Self {
        Self {
            symbol: holding.symbol.to_string(),
            quantity: holding.quantity.get(),
            average: holding.average.units(),
            extras: Vec::new(),
        }
    }
}

impl From<Funds> for portfolio::Funds {
    fn from(funds: Funds) -> Self {
        Self { available: funds.available.units(), blocked: funds.blocked.units(), extras: Vec::new() }
    }
}

impl From<Difference> for portfolio::Difference {
    fn from(difference: Difference) -> Self {
        Self { subject: difference.subject, what: difference.what }
    }
}

impl From<DayAccount> for portfolio::DayAccount {
    fn from(account: DayAccount) -> Self {
        Self {
            day: date(account.day),
            orders: account.orders,
            fills: account.fills,
            bought: account.bought.units(),
            sold: account.sold.units(),
            realised: account.realised.units(),
            charges: account.charges.units(),
            charges_by_kind: account
                .charges_by_kind
                .into_iter()
                .map(|(kind, money)| (kind, money.units()))
                .collect(),
            unrealised: account.unrealised.units(),
            skipped: account
                .skipped
                .into_iter()
                .map(|skip| types::Skip { subject: skip.subject, reason: skip.reason })
                .collect(),
            extras: Vec::new(),
        }
    }
}

impl From<notify::Severity> for Severity {
    fn from(severity: notify::Severity) -> Self {
        match severity {
            notify::Severity::Info => Self::Info,
            notify::Severity::Warning => Self::Warning,
            notify::Severity::Critical => Self::Critical,
        }
    }
}

pub(crate) const fn level(level: log::Level) -> tracing::Level {
    match level {
        log::Level::Debug => tracing::Level::DEBUG,
        log::Level::Info => tracing::Level::INFO,
        log::Level::Warn => tracing::Level::WARN,
        log::Level::Error => tracing::Level::ERROR,
    }
}
