//! The keeper's numbers.

use std::time::Duration;

use chrono::NaiveTime;

/// How patient, and how modest, the keeper is. [`KeeperConfig::default`] is what the documentation of each
/// field says; days are exchange days (IST).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeeperConfig {
    /// Nobody logs in between midnight and this hour unless a task is due. Default 08:00 IST.
    pub daily_hour: NaiveTime,
    /// A session that dies this soon after its login died early. Default 5 min.
    pub contest_window: Duration,
    /// How long a contested account is left alone before a probe. Default 15 min.
    pub cool_down: Duration,
    /// Logins in a row, the first of them into a session that died early, after which the account counts
    /// as contested whatever became of the others. Default 3.
    pub contest_logins: u32,
    /// Probe logins a day. Default 3.
    pub probes_per_day: u32,
    /// Logins a day: those whose one-time code was taken, whatever became of them. Default 10.
    pub logins_per_day: u32,
    /// Attempts a day, those included to which nobody answered: an outage in the morning must not use up
    /// the day's logins, and must not be hammered either. Default 60.
    pub attempts_per_day: u32,
    /// Whole logins, each with a new code and a new client, that one renewal makes. Default 2.
    pub attempts_per_renewal: u32,
    /// The wait after a failed login; it doubles with each in a row. Default 5 s.
    pub retry_backoff: Duration,
    /// The longest of those waits. Default 5 min.
    pub retry_backoff_max: Duration,
    /// How often step two is asked on one answer of step one. Default 3.
    pub validate_attempts: u32,
    /// The wait before step two is asked again; it doubles each time. Default 1 s.
    pub validate_backoff: Duration,
    /// The longest that one step may take. Default 15 s.
    pub step_bound: Duration,
    /// The longest that one login may take, from the first byte of step one. Default 60 s.
    pub login_bound: Duration,
    /// The longest that a logout may take. Default 3 s.
    pub logout_bound: Duration,
    /// The longest that the look for conflicts may take; then it counts as failed. Default 10 s.
    pub look_bound: Duration,
    /// How long a conflict found, or a look that failed, is believed before the next look. Default 30 s.
    pub recheck: Duration,
    /// A one-time code with less than this left of its half minute is not sent: it could arrive in the
    /// next one. Default 2 s.
    pub code_margin: Duration,
    /// A difference between this machine's clock and the broker's of more than this is an alarm.
    /// Default 5 s.
    pub skew_alarm: Duration,
}

impl Default for KeeperConfig {
    fn default() -> Self {
        Self {
            daily_hour: NaiveTime::from_hms_opt(8, 0, 0).expect("a time of day"),
            contest_window: Duration::from_secs(5 * 60),
            cool_down: Duration::from_secs(15 * 60),
            contest_logins: 3,
            probes_per_day: 3,
            logins_per_day: 10,
            attempts_per_day: 60,
            attempts_per_renewal: 2,
            retry_backoff: Duration::from_secs(5),
            retry_backoff_max: Duration::from_secs(5 * 60),
            validate_attempts: 3,
            validate_backoff: Duration::from_secs(1),
            step_bound: Duration::from_secs(15),
            login_bound: Duration::from_secs(60),
            logout_bound: Duration::from_secs(3),
            look_bound: Duration::from_secs(10),
            recheck: Duration::from_secs(30),
            code_margin: Duration::from_secs(2),
            skew_alarm: Duration::from_secs(5),
        }
    }
}
