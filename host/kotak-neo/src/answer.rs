//! What an answer is: success by the rule of its call, an error of a known shape, or unreadable.

use crate::error::Error;
use crate::fields::RowError;
use crate::json::Json;
use crate::said::Said;
use crate::secrets::Secrets;
use crate::shape;
use crate::time;
use crate::transport::Response;

/// How an answer says that it is a success (facts 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// `stat` ok and `stCode` 200.
    Stat,
    /// Something in `data`: holdings, scrip files, the logins.
    Data,
    /// A bare list: quotes.
    List,
    /// `status` success: candles.
    Status,
    /// `stCode` 1000: the client's address.
    Code1000,
}

/// The code of "No Data": an empty list, not an error (facts 3.3).
const NO_DATA: &str = "5203";

/// A readable answer.
pub(crate) struct Answer {
    pub(crate) http: u16,
    pub(crate) server_time: Option<i64>,
    pub(crate) json: Json,
}

/// What is asked of an answer.
pub(crate) struct Reading<'a> {
    pub(crate) rule: Rule,
    pub(crate) secrets: &'a Secrets,
    /// A login's answer: its new secrets may contain the request's, so only error texts are scrubbed.
    pub(crate) login: bool,
}

impl Reading<'_> {
    /// Success, or the error that the answer is.
    pub(crate) fn read(&self, response: &Response) -> Result<Answer, Error> {
        let http = response.status;
        let server_time = response.header("date").and_then(time::http_date);
        let unreadable = |why: String| Error::Unreadable { http, why, server_time };
        let mut json = Json::parse(&response.body).map_err(unreadable)?;
        if !self.login {
            self.secrets.scrub_json(&mut json);
        }
        let success = self.rule.holds(&json);
        if success && (200..300).contains(&http) {
            return Ok(Answer { http, server_time, json });
        }
        if success {
            return Err(unreadable("a body that says success under an HTTP status that does not".to_owned()));
        }
        let Some(spoken) = shape::recognise(&json) else {
            return Err(unreadable(
                "JSON that is neither a success nor an error of a known shape".to_owned(),
            ));
        };
        Err(Error::Said(Box::new(Said {
            http,
            code: spoken.code.map(|code| self.secrets.clean(code)),
            stat: spoken.stat.map(|stat| self.secrets.clean(stat)),
            text: self.secrets.clean(spoken.text),
            shape: spoken.shape,
            server_time,
            login: self.login,
        })))
    }
}

impl Rule {
    fn holds(self, json: &Json) -> bool {
        match self {
            Self::Stat => shape::is_ok(json),
            Self::Data => json.get("data").is_some() && shape::recognise(json).is_none(),
            Self::List => json.list().is_some(),
            Self::Status => shape::status_success(json),
            Self::Code1000 => shape::code_is(json, "1000"),
        }
    }
}

impl Answer {
    /// The rows in `data`; none where `data` is empty or missing, which [`Rule::Stat`] allows.
    pub(crate) fn rows<T>(&self, read: impl Fn(&Json) -> Result<T, RowError>) -> Result<Vec<T>, Error> {
        match self.json.get("data") {
            None => Ok(Vec::new()),
            Some(Json::List(items)) => self.each(items, read),
            Some(_) => Err(self.unreadable("`data` is not a list")),
        }
    }

    /// Every item, or an error: a book with a row left out is not a book.
    pub(crate) fn each<T>(
        &self,
        items: &[Json],
        read: impl Fn(&Json) -> Result<T, RowError>,
    ) -> Result<Vec<T>, Error> {
        let rows = items.iter().enumerate();
        rows.map(|(at, item)| read(item).map_err(|why| self.unreadable(&format!("row {}: {why}", at + 1))))
            .collect()
    }

    pub(crate) fn unreadable(&self, why: &str) -> Error {
        Error::Unreadable { http: self.http, why: why.to_owned(), server_time: self.server_time }
    }
}

/// A list call's "No Data" is an empty list. The HTTP status that comes with it is not documented (facts 3.3,
/// 9); one that means "who are you" or "I am broken" is not believed.
pub(crate) fn empty_if_no_data<T>(result: Result<Vec<T>, Error>) -> Result<Vec<T>, Error> {
    match result {
        Err(Error::Said(said))
            if said.code.as_deref() == Some(NO_DATA) && matches!(said.http, 200..=299 | 400 | 404) =>
        {
            Ok(Vec::new())
        }
        other => other,
    }
}
