//! A made-up market as the exchange's own files: shares that rise for weeks and fall for days.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use calendar::Calendar;
use model::clock::Rng;
use model::{Date, Exchange, Timestamp};

/// One day of one share, in paise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    pub prev_close: i64,
    pub open: i64,
    pub high: i64,
    pub low: i64,
    pub close: i64,
    pub volume: u64,
}

/// The market: `days[d][s]` is day `d` of share `s`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeUp {
    pub dates: Vec<Date>,
    pub symbols: Vec<String>,
    pub days: Vec<Vec<Bar>>,
}

/// How the files are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Gzip,
    Zip,
}

/// The header of `sec_bhavdata_full`, blanks as the exchange has them.
pub const HEADER: &str = "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, \
                          CLOSE_PRICE, AVG_PRICE, TTL_TRD_QNTY, TURNOVER_LACS, NO_OF_TRADES, DELIV_QTY, DELIV_PER\n";

fn rupees(paise: i64) -> String {
    format!("{}.{:02}", paise / 100, paise % 100)
}

/// On the grid of five paise, valid for every price that is made up here.
fn on_grid(paise: i64) -> i64 {
    (paise + 2) / 5 * 5
}

/// `base` changed by so many hundredths of a percent.
fn changed(base: i64, hundredths: i64) -> i64 {
    on_grid(base * (10_000 + hundredths) / 10_000)
}

/// The next `count` sessions of NSE after `after`, by the bundled calendar.
pub fn sessions_after(after: &str, count: usize) -> Vec<Date> {
    let calendar = Calendar::bundled();
    let mut date: Date = after.parse().expect("a date");
    std::iter::repeat_with(|| {
        date = calendar.next_trading_day(Exchange::Nse, date).expect("known to the calendar");
        date
    })
    .take(count)
    .collect()
}

impl MadeUp {
    /// `shares` shares over `dates`.
    pub fn new(shares: usize, dates: Vec<Date>, seed: u64) -> Self {
        let symbols: Vec<String> = (1..=shares).map(|number| format!("MADE{number:03}")).collect();
        let days = vec![Vec::new(); dates.len()];
        let mut market = Self { dates, symbols, days };
        market.walk(0, seed);
        market
    }

    /// Makes every day from number `first` on anew, from another stream of chance. What lies before
    /// stays, the published previous close of the first new day included.
    pub fn walk(&mut self, first: usize, seed: u64) {
        for day in &mut self.days[first..] {
            day.clear();
        }
        for (share, symbol) in self.symbols.iter().enumerate() {
            let mut rng = Rng::new(seed).fork(symbol);
            let mut close = match first.checked_sub(1) {
                Some(before) => self.days[before][share].close,
                None => on_grid(15_000 + rng.below(60_000) as i64),
            };
            // Where in its rise and fall the share is: 26 days up, 9 days down.
            let phase = rng.below(35) as usize;
            let around = |rng: &mut Rng, size: u64| rng.below(2 * size + 1) as i64 - size as i64;
            for (number, day) in self.days.iter_mut().enumerate().skip(first) {
                let falls = (number + phase) % 35 >= 26;
                let drift = if falls { -140 } else { 55 };
                let open = changed(close, around(&mut rng, 40));
                let next = changed(close, drift + around(&mut rng, 60));
                let high = changed(open.max(next), rng.below(60) as i64);
                let low = changed(open.min(next), -(rng.below(60) as i64));
                let volume = 200_000 + rng.below(400_000);
                day.push(Bar { prev_close: close, open, high, low, close: next, volume });
                close = next;
            }
        }
    }

    /// The text of one day's file.
    pub fn text(&self, day: usize) -> String {
        let mut text = HEADER.to_owned();
        let date = self.dates[day].format("%d-%b-%Y");
        for (symbol, bar) in self.symbols.iter().zip(&self.days[day]) {
            let Bar { prev_close, open, high, low, close, volume } = *bar;
            let [prev_close, open, high, low, close] = [prev_close, open, high, low, close].map(rupees);
            writeln!(
                text,
                "{symbol}, EQ, {date}, {prev_close}, {open}, {high}, {low}, {close}, {close}, {close}, {volume}, \
                 1.00, 100, -, -"
            )
            .expect("a text");
        }
        text
    }

    /// Writes one file a day into `folder`, packed in turn as `packings` says.
    pub fn write(&self, folder: &Path, packings: &[Packing]) -> Vec<PathBuf> {
        (0..self.dates.len())
            .map(|day| {
                let name = format!("sec_bhavdata_full_{}.csv", self.dates[day].format("%d%m%Y"));
                write_packed(folder, &name, self.text(day).as_bytes(), packings[day % packings.len()])
            })
            .collect()
    }

    /// The minutes of one day of one share as generic CSV rows of (start, open, high, low, close, volume):
    /// a walk from its open that ends at its close, inside its range.
    pub fn minutes(&self, day: usize, share: usize, seed: u64) -> Vec<Minute> {
        const MINUTES: i64 = 375;
        let bar = self.days[day][share];
        let mut rng = Rng::new(seed).fork(&self.symbols[share]);
        let open_at = Timestamp::at_ist(self.dates[day], 9, 15);
        let mut last = bar.open;
        (0..MINUTES)
            .map(|minute| {
                let open = last;
                let straight = bar.open + (bar.close - bar.open) * (minute + 1) / MINUTES;
                let noise = rng.below(81) as i64 - 40;
                let close = if minute + 1 == MINUTES {
                    bar.close
                } else {
                    on_grid(straight + noise).clamp(bar.low, bar.high)
                };
                last = close;
                Minute { start: open_at.plus_minutes(minute), open, close, volume: 1_000 + rng.below(1_000) }
            })
            .collect()
    }
}

/// One minute, in paise; its range is from open to close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    pub start: Timestamp,
    pub open: i64,
    pub close: i64,
    pub volume: u64,
}

/// Minutes of one symbol as CSV.
pub fn minutes_csv(symbol: &str, minutes: &[Minute]) -> String {
    let mut text = "symbol,datetime,open,high,low,close,volume\n".to_owned();
    for Minute { start, open, close, volume } in minutes {
        let (high, low) = (rupees(*open.max(close)), rupees(*open.min(close)));
        let (at, open, close) = (start.ist().format("%Y-%m-%d %H:%M"), rupees(*open), rupees(*close));
        writeln!(text, "{symbol},{at},{open},{high},{low},{close},{volume}").expect("a text");
    }
    text
}

/// Writes `bytes` as file `name`, packed.
pub fn write_packed(folder: &Path, name: &str, bytes: &[u8], packing: Packing) -> PathBuf {
    let (path, packed) = match packing {
        Packing::Plain => (folder.join(name), bytes.to_vec()),
        Packing::Gzip => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(bytes).expect("into memory");
            (folder.join(format!("{name}.gz")), gzip.finish().expect("into memory"))
        }
        Packing::Zip => {
            let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("into memory");
            archive.write_all(bytes).expect("into memory");
            (folder.join(format!("{name}.zip")), archive.finish().expect("into memory").into_inner())
        }
    };
    std::fs::write(&path, packed).expect("written");
    path
}
