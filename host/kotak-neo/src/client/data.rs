//! Quotes, candles, the scrip master.

use super::{Call, Client, Headers, QUOTES_MAX};
use crate::address;
use crate::answer::Rule;
use crate::error::Error;
use crate::json::Json;
use crate::rows::{Candle, CandleQuery, Instrument, Quote, QuoteFilter, says_no_data};
use crate::said::{Said, Shape};
use crate::scrip::{ScripFiles, ScripMaster};
use crate::time;
use crate::transport::{Body, Method, Request};

/// The longest file of the scrip master that is read, in bytes.
pub const SCRIP_FILE_BYTES_MAX: usize = 256 * 1024 * 1024;

impl Client {
    /// Quotes of at most [`QUOTES_MAX`] instruments (facts 2.11), in the server's order. An instrument that it
    /// does not know may be missing.
    pub async fn quotes(&self, instruments: &[Instrument], filter: QuoteFilter) -> Result<Vec<Quote>, Error> {
        if instruments.is_empty() || instruments.len() > QUOTES_MAX {
            let count = instruments.len();
            return Err(Error::invalid(format!(
                "{count} instruments: a quotes call takes 1 to {QUOTES_MAX}"
            )));
        }
        let wanted: Vec<String> = instruments.iter().map(|one| address::encode(&one.to_string())).collect();
        let path = format!("script-details/1.0/quotes/neosymbol/{}/{}", wanted.join(","), filter.as_wire());
        let answer = self.call(self.data(&path, Rule::List)).await?;
        answer.each(answer.json.list().unwrap_or_default(), Quote::read)
    }

    /// Where the scrip master's files are (facts 2.12).
    pub async fn scrip_master_files(&self) -> Result<ScripFiles, Error> {
        let answer = self.call(self.data("script-details/1.0/masterscrip/file-paths", Rule::Data)).await?;
        let data = answer.json.get("data").ok_or_else(|| answer.unreadable("an answer without `data`"))?;
        ScripFiles::read(data).map_err(|why| answer.unreadable(&why))
    }

    /// One file of the scrip master, read. It is public: no header of ours goes with the request.
    pub async fn scrip_master(&self, url: &str) -> Result<ScripMaster, Error> {
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(Error::invalid("a scrip master's URL starts with https://"));
        }
        let request = Request {
            method: Method::Get,
            url: url.to_owned(),
            headers: Vec::new(),
            body: Body::Empty,
            timeout: self.patience.file,
            answer_bytes_max: SCRIP_FILE_BYTES_MAX,
        };
        let sent = self.transport.send(request).await;
        let response = sent.map_err(|error| Error::from(error).cleaned(&self.secrets))?;
        let server_time = response.header("date").and_then(time::http_date);
        let unreadable = |why: String| Error::Unreadable { http: response.status, why, server_time };
        if !(200..300).contains(&response.status) {
            return Err(unreadable("the scrip master is not there".to_owned()));
        }
        ScripMaster::parse(&response.body).map_err(|error| unreadable(error.to_string()))
    }

    /// Candles (facts 2.13). "No data" is an empty list; a span beyond [`crate::Interval::span_days_max`] is
    /// refused here.
    pub async fn candles(&self, query: &CandleQuery) -> Result<Vec<Candle>, Error> {
        query.check()?;
        let path = format!(
            "market-data/1.0/historical/details?neosymbol={}&interval={}&fromdate={}&todate={}",
            address::encode(&query.instrument.to_string()),
            query.interval.as_wire(),
            query.from.format("%Y-%m-%d"),
            query.to.format("%Y-%m-%d"),
        );
        let answer = match self.call(self.data(&path, Rule::Status)).await {
            Err(Error::Said(said)) if is_no_data(&said) => return Ok(Vec::new()),
            other => other?,
        };
        let candles = answer.json.get("data").and_then(|data| data.get("candles")).and_then(Json::list);
        let candles = candles.ok_or_else(|| answer.unreadable("an answer without `data.candles`"))?;
        answer.each(candles, Candle::read)
    }

    fn data(&self, path: &str, rule: Rule) -> Call {
        Call { headers: Headers::Data, ..self.get(path, rule) }
    }
}

fn is_no_data(said: &Said) -> bool {
    let of_the_call = matches!(said.shape, Shape::E | Shape::G) && matches!(said.http, 200..=299 | 400 | 404);
    of_the_call && says_no_data(&said.text)
}
