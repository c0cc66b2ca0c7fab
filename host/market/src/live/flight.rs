//! One request for a symbol at a time: who asks for what is being asked for waits for that answer.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use model::Symbol;

use super::port::SourceError;

/// How a flight ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// The source answered.
    Answered(Result<(), SourceError>),
    /// Whoever asked was cancelled before the answer came: ask again.
    Abandoned,
}

#[derive(Debug, Default)]
struct State {
    landing: Option<Landing>,
    waiting: Vec<Waker>,
}

/// A request under way.
#[derive(Debug, Default)]
pub struct Flight(Mutex<State>);

impl Flight {
    fn land(&self, landing: Landing) {
        let waiting = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.landing = Some(landing);
            std::mem::take(&mut state.waiting)
        };
        for waker in waiting {
            waker.wake();
        }
    }
}

/// Waits for somebody else's request.
#[derive(Debug)]
pub struct Passenger {
    flight: Arc<Flight>,
    /// What this caller wanted of it.
    pub symbols: Vec<Symbol>,
}

impl Future for Passenger {
    type Output = Landing;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Landing> {
        let mut state = self.flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landing) = &state.landing {
            return Poll::Ready(landing.clone());
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            state.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

/// All requests under way, by symbol.
#[derive(Debug, Default)]
pub struct Flights(Mutex<BTreeMap<Symbol, Arc<Flight>>>);

impl Flights {
    /// Splits `symbols`: those nobody is asking for become a flight of the caller's own, the others are
    /// waited for.
    pub fn board(&self, symbols: &[Symbol]) -> (Option<Pilot<'_>>, Vec<Passenger>) {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = Arc::new(Flight::default());
        let mut mine = Vec::new();
        let mut others: Vec<Passenger> = Vec::new();
        for symbol in symbols {
            let flight = flights.entry(symbol.clone()).or_insert_with(|| own.clone()).clone();
            if Arc::ptr_eq(&flight, &own) {
                if !mine.contains(symbol) {
                    mine.push(symbol.clone());
                }
            } else if let Some(known) = others.iter_mut().find(|it| Arc::ptr_eq(&it.flight, &flight)) {
                known.symbols.push(symbol.clone());
            } else {
                others.push(Passenger { flight, symbols: vec![symbol.clone()] });
            }
        }
        // Not `then_some`: a pilot made for nothing would be dropped here, and his drop takes the lock held now.
        let pilot = (!mine.is_empty()).then(|| Pilot { flights: self, flight: own, symbols: mine });
        (pilot, others)
    }
}

/// The caller that asks, for itself and for all who wait. Dropped without landing it tells them so.
#[derive(Debug)]
pub struct Pilot<'a> {
    flights: &'a Flights,
    flight: Arc<Flight>,
    symbols: Vec<Symbol>,
}

impl Pilot<'_> {
    /// What to ask for.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// Tells the answer to all who wait.
    pub fn land(self, result: Result<(), SourceError>) {
        self.leave();
        self.flight.land(Landing::Answered(result));
    }

    /// Before anyone is woken: who asks from now on starts a request of his own.
    fn leave(&self) {
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        for symbol in &self.symbols {
            if flights.get(symbol).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
                flights.remove(symbol);
            }
        }
    }
}

impl Drop for Pilot<'_> {
    fn drop(&mut self) {
        self.leave();
        let landed = self.flight.0.lock().unwrap_or_else(PoisonError::into_inner).landing.is_some();
        if !landed {
            self.flight.land(Landing::Abandoned);
        }
    }
}
