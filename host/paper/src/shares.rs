//! Shares: what is owned, what of it is credited, what the demat account shows.
//!
//! Sold shares leave `owned` at once and the demat account on settlement; bought ones join `owned` at
//! once and the demat account on settlement. So at any time: demat + bought today - sold today = owned.

use std::collections::{BTreeMap, VecDeque};

use model::{Date, Money, Price, Product, Quantity, Symbol};

#[derive(Debug, Clone)]
struct Lot {
    quantity: Quantity,
    /// Paid for all of it.
    cost: Money,
    settles: Date,
}

/// Sold, and not yet out of the demat account.
#[derive(Debug, Clone)]
struct Leaving {
    quantity: Quantity,
    cost: Money,
    came: Date,
    leaves: Date,
}

#[derive(Debug, Clone, Default)]
struct Pile {
    lots: VecDeque<Lot>,
    leaving: Vec<Leaving>,
}

/// The account's shares, delivery and intraday apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shares {
    piles: BTreeMap<(Symbol, bool), Pile>,
}

fn key(symbol: &Symbol, product: Product) -> (Symbol, bool) {
    (symbol.clone(), product == Product::Intraday)
}

impl Shares {
    pub fn add(&mut self, symbol: &Symbol, product: Product, quantity: Quantity, cost: Money, settles: Date) {
        let pile = self.piles.entry(key(symbol, product)).or_default();
        match pile.lots.back_mut().filter(|lot| lot.settles == settles) {
            Some(lot) => {
                lot.quantity += quantity;
                lot.cost += cost;
            }
            None => pile.lots.push_back(Lot { quantity, cost, settles }),
        }
    }

    /// Takes out the oldest; the caller has checked that they are there.
    pub fn take(&mut self, symbol: &Symbol, product: Product, quantity: Quantity, leaves: Date) {
        let Some(pile) = self.piles.get_mut(&key(symbol, product)) else {
            return debug_assert!(false, "{symbol}: sold without shares");
        };
        let mut left = quantity;
        while !left.is_zero() {
            let Some(lot) = pile.lots.front_mut() else {
                return debug_assert!(false, "{symbol}: sold more than owned");
            };
            let taken = lot.quantity.min(left);
            let cost = lot.cost.scale(i64::from(taken.get()), i64::from(lot.quantity.get()));
            lot.quantity -= taken;
            lot.cost -= cost;
            left -= taken;
            let came = lot.settles;
            if lot.quantity.is_zero() {
                pile.lots.pop_front();
            }
            if product == Product::Delivery {
                pile.leaving.push(Leaving { quantity: taken, cost, came, leaves });
            }
        }
    }

    pub fn owned(&self, symbol: &Symbol, product: Product) -> Quantity {
        self.sum(symbol, product, |_| true)
    }

    /// Owned and credited on `day`.
    pub fn settled(&self, symbol: &Symbol, product: Product, day: Date) -> Quantity {
        self.sum(symbol, product, |lot| lot.settles <= day)
    }

    fn sum(&self, symbol: &Symbol, product: Product, which: impl Fn(&Lot) -> bool) -> Quantity {
        self.piles
            .get(&key(symbol, product))
            .map(|pile| pile.lots.iter().filter(|lot| which(lot)).map(|lot| lot.quantity).sum())
            .unwrap_or_default()
    }

    /// Every symbol and product of which something is owned, with quantity and cost.
    pub fn all(&self) -> impl Iterator<Item = (&Symbol, Product, Quantity, Money)> {
        self.piles.iter().filter_map(|((symbol, intraday), pile)| {
            let quantity: Quantity = pile.lots.iter().map(|lot| lot.quantity).sum();
            let cost = pile.lots.iter().map(|lot| lot.cost).sum();
            let product = if *intraday { Product::Intraday } else { Product::Delivery };
            (!quantity.is_zero()).then_some((symbol, product, quantity, cost))
        })
    }

    /// What the demat account shows on `day`: symbol, quantity, cost.
    pub fn demat(&self, day: Date) -> Vec<(Symbol, Quantity, Money)> {
        let mut rows = Vec::new();
        for ((symbol, intraday), pile) in &self.piles {
            if *intraday {
                continue;
            }
            let here = pile.lots.iter().filter(|lot| lot.settles <= day).map(|lot| (lot.quantity, lot.cost));
            let leaving = pile.leaving.iter().filter(|sold| sold.came <= day && sold.leaves > day);
            let (mut quantity, mut cost) = (Quantity::ZERO, Money::ZERO);
            for (shares, paid) in here.chain(leaving.map(|sold| (sold.quantity, sold.cost))) {
                quantity += shares;
                cost += paid;
            }
            if !quantity.is_zero() {
                rows.push((symbol.clone(), quantity, cost));
            }
        }
        rows
    }

    /// Forgets what has left the demat account by `day`.
    pub fn prune(&mut self, day: Date) {
        for pile in self.piles.values_mut() {
            pile.leaving.retain(|sold| sold.leaves > day);
        }
        self.piles.retain(|_, pile| !(pile.lots.is_empty() && pile.leaving.is_empty()));
    }

    /// Re-bases a symbol: every old share becomes `denominator / numerator` new ones (a price factor's
    /// inverse). Lots keep their cost. Returns the fraction left over, in `numerator`-ths of a new share.
    pub fn rebase(&mut self, symbol: &Symbol, numerator: i64, denominator: i64) -> i64 {
        let Some(pile) = self.piles.get_mut(&key(symbol, Product::Delivery)) else { return 0 };
        // Lot by lot on running sums, so that the lots' shares add up to the whole's.
        let (mut old_sum, mut new_sum, mut rest) = (0_i128, 0_i128, 0_i128);
        for lot in &mut pile.lots {
            old_sum += i128::from(lot.quantity.get());
            let scaled = old_sum * i128::from(denominator);
            let target = scaled / i128::from(numerator);
            rest = scaled % i128::from(numerator);
            lot.quantity = Quantity::new(u32::try_from(target - new_sum).unwrap_or(u32::MAX));
            new_sum = target;
        }
        // What was sold before the ex-date is delivered as sold.
        for sold in &mut pile.leaving {
            let scaled = i128::from(sold.quantity.get()) * i128::from(denominator) / i128::from(numerator);
            sold.quantity = Quantity::new(u32::try_from(scaled).unwrap_or(u32::MAX));
        }
        pile.lots.retain(|lot| !lot.quantity.is_zero());
        rest as i64
    }

    /// The average price of a row of [`Self::demat`].
    pub fn average(quantity: Quantity, cost: Money) -> Price {
        cost.per_share(quantity)
    }
}
