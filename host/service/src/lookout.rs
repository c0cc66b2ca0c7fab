//! The lookout: what else is logged in to the account from this machine, and the end of it.
//!
//! Root and ordinary users look by themselves; a hardened host, which sees no process but its own, asks the
//! root helper. Only `run` against a real account ever stops anything; every other command looks and
//! reports. What cannot be looked at is unknown, and unknown is no leave to log in.

use std::path::{Path, PathBuf};

use conflicts::{Conflict, Danger, Machine, Me, Names, Process, Resolution, Role, Step, Survey, What};
use model::{Account, BoxFuture};
use tokio::sync::mpsc;

use crate::config::{BrokerKind, Config};
use crate::lock::AccountLock;

/// The flag that takes an unknown for a no.
pub const OVERRIDE: &str = "--allow-unknown-conflicts";
/// Things that wait to be written down.
const NEWS_MAX: usize = 256;

/// How a lookout acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Powers {
    /// It stops what it finds.
    pub stops: bool,
    /// What it cannot look at is taken for nothing.
    pub trusts_the_unknown: bool,
}

impl Powers {
    /// Looks, reports, and touches nothing.
    pub const LOOKS: Self = Self { stops: false, trusts_the_unknown: false };
}

/// Who looks.
enum Eyes {
    Own(Machine),
    #[cfg(target_os = "linux")]
    Helper(PathBuf),
}

/// What the lookout did, for the journal.
#[derive(Debug, Clone)]
pub enum News {
    /// It stopped something, or could not.
    Step(Box<Step>),
    /// Something is in conflict although nothing was asked just now.
    Found(Vec<String>),
    /// A look on the timer failed.
    Blind(String),
}

/// The lookout of one account.
pub struct Lookout {
    eyes: Eyes,
    powers: Powers,
    base_url: Option<String>,
    lock_dir: PathBuf,
    account: Account,
    #[cfg(target_os = "linux")]
    names: Names,
    news: mpsc::Sender<News>,
}

/// Where its news come out.
pub type NewsReceiver = mpsc::Receiver<News>;

impl Lookout {
    /// Of the account of `config`, on this machine.
    pub fn new(config: &Config, powers: Powers) -> (Self, NewsReceiver) {
        let names = Names::default().and(&config.conflicts.units, &config.conflicts.scripts);
        Self::with(eyes(names.clone()), names, config, powers)
    }

    /// On a made-up machine.
    pub fn on(machine: Machine, config: &Config, powers: Powers) -> (Self, NewsReceiver) {
        let names = machine.names.clone();
        Self::with(Eyes::Own(machine), names, config, powers)
    }

    #[cfg_attr(
        not(target_os = "linux"),
        expect(unused_variables, reason = "only a helper has its own names")
    )]
    fn with(eyes: Eyes, names: Names, config: &Config, powers: Powers) -> (Self, NewsReceiver) {
        let (news, receiver) = mpsc::channel(NEWS_MAX);
        let base_url = match &config.account.broker {
            BrokerKind::KotakNeo(kotak) => Some(kotak.base_url.clone()),
            _ => None,
        };
        let (lock_dir, account) = (config.lock_dir.clone(), config.account.name.clone());
        let lookout = Self {
            eyes,
            powers,
            base_url,
            lock_dir,
            account,
            #[cfg(target_os = "linux")]
            names,
            news,
        };
        (lookout, receiver)
    }

    /// Looks once: everything seen, and what of it is in conflict.
    ///
    /// # Errors
    /// In a sentence, when nothing is known.
    pub async fn look(&self) -> Result<(Survey, Vec<Conflict>), String> {
        let (survey, found) = match &self.eyes {
            Eyes::Own(machine) => {
                let survey = machine.survey().await.map_err(|error| error.to_string())?;
                let found = conflicts::conflicts(&survey, &me_and_the_holder(&self.lock_dir, &self.account));
                (survey, found)
            }
            #[cfg(target_os = "linux")]
            Eyes::Helper(socket) => match conflicts::helper::ask(socket, conflicts::helper::Ask::Look).await?
            {
                conflicts::helper::Answer::Seen(seen) => {
                    let seen = seen.map_err(|error| error.to_string())?;
                    if !seen.names.hold(&self.names) {
                        return Err("the helper does not look for all of [conflicts] units and scripts: \
                             `sudo systemctl restart tradeagent-helper` has it read the configuration again"
                            .to_owned());
                    }
                    (seen.survey, seen.conflicts)
                }
                other => return Err(refused(&other)),
            },
        };
        Ok((survey, self.of_this_account(found)))
    }

    /// Stops what is in conflict, and looks again.
    async fn resolve(&self) -> Result<Resolution, String> {
        let mut done = match &self.eyes {
            Eyes::Own(machine) => {
                let notes = conflicts::RetiredNotes::of_this_machine();
                machine
                    .resolve(&me_and_the_holder(&self.lock_dir, &self.account), false, &|retired| {
                        notes.add(retired)
                    })
                    .await
                    .map_err(|error| error.to_string())?
            }
            #[cfg(target_os = "linux")]
            Eyes::Helper(socket) => {
                match conflicts::helper::ask(socket, conflicts::helper::Ask::Resolve).await? {
                    conflicts::helper::Answer::Resolved(done) => done.map_err(|error| error.to_string())?,
                    other => return Err(refused(&other)),
                }
            }
        };
        done.left = self.of_this_account(done.left);
        Ok(done)
    }

    /// What is in the way of a login, after everything was stopped that may be.
    ///
    /// # Errors
    /// When nothing is known, with the flag that overrides it.
    pub async fn clear_the_way(&self) -> Result<Vec<Conflict>, String> {
        let found = match self.look().await {
            Ok((_, found)) => found,
            Err(why) if self.powers.trusts_the_unknown => {
                tracing::warn!(
                    "other programs could not be looked for ({why}); {OVERRIDE} says that there are none"
                );
                return Ok(Vec::new());
            }
            Err(why) => {
                return Err(format!("{why}; `tradeagent run {OVERRIDE}` logs in without having looked"));
            }
        };
        let can_stop = self.powers.stops && found.iter().any(Conflict::may_be_stopped);
        if !can_stop {
            return Ok(in_the_way(found));
        }
        let done = self.resolve().await?;
        for step in done.steps {
            self.tell(News::Step(Box::new(step)));
        }
        Ok(in_the_way(done.left))
    }

    /// A look on the timer: what is found is stopped, or told.
    pub async fn patrol(&self) {
        match self.clear_the_way().await {
            Ok(left) if left.is_empty() => {}
            Ok(left) => self.tell(News::Found(left.iter().map(ToString::to_string).collect())),
            Err(why) => self.tell(News::Blind(why)),
        }
    }

    fn tell(&self, news: News) {
        if self.news.try_send(news).is_err() {
            tracing::error!("news of the lookout could not be kept: too many wait");
        }
    }

    /// Without hosts that provably trade something else.
    fn of_this_account(&self, found: Vec<Conflict>) -> Vec<Conflict> {
        found.into_iter().filter(|conflict| !self.is_of_another_account(conflict)).collect()
    }

    fn is_of_another_account(&self, conflict: &Conflict) -> bool {
        let What::Process(Process { pid, role: Role::Host(path), .. }) = &conflict.what else { return false };
        let path = match path {
            Some(path) => located(*pid, path),
            // Without a configuration it is on paper, unless its environment names one.
            None => match environment(*pid, "TRADEAGENT_CONFIG") {
                Ok(None) => return true,
                Ok(Some(path)) => located(*pid, &path),
                Err(_) => return false,
            },
        };
        let Ok(theirs) = Config::load(Some(&path)) else { return false };
        match theirs.account.broker {
            BrokerKind::KotakNeo(kotak) => {
                theirs.rehearsal.is_some()
                    || self.base_url.as_ref().is_some_and(|ours| *ours != kotak.base_url)
            }
            _ => true,
        }
    }
}

/// Whether this program was started to speak with a user's own service manager, and how that ended.
#[cfg(target_os = "linux")]
pub fn as_user_manager() -> Option<std::process::ExitCode> {
    let arguments: Vec<String> = std::env::args().take(3).collect();
    if arguments.get(1).map(String::as_str) != Some(conflicts::AS_USER) {
        return None;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let ended = runtime.block_on(conflicts::user_manager(&arguments))?;
    Some(match ended {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            crate::output::talk(&format!("error: {error}"));
            std::process::ExitCode::FAILURE
        }
    })
}

/// What comes up only with the machine is told, and is in nobody's way yet.
fn in_the_way(found: Vec<Conflict>) -> Vec<Conflict> {
    let (later, now): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|conflict| conflict.danger == Danger::AtBoot);
    for conflict in later {
        tracing::warn!("{conflict}");
    }
    now
}

/// This process and those that started it.
pub fn me() -> Me {
    Me { started: conflicts::started(std::process::id()).unwrap_or_default(), pids: conflicts::ancestors() }
}

/// [`me`], and whoever holds the account's lock: the one owner is in conflict with nobody.
pub fn me_and_the_holder(lock_dir: &Path, account: &Account) -> Me {
    let mut me = me();
    let holder = AccountLock::holder(lock_dir, account).ok().flatten();
    me.pids.extend(holder.map(|holder| holder.pid));
    me
}

#[cfg(target_os = "linux")]
fn eyes(names: Names) -> Eyes {
    let socket = Path::new(conflicts::helper::SOCKET);
    // Whoever sees everything needs nobody's eyes; the helper answers only root and the host's unit.
    if !conflicts::process_is_visible_to_us() && conflicts::helper::is_there(socket) {
        return Eyes::Helper(socket.to_owned());
    }
    Eyes::Own(Machine::real(names))
}

#[cfg(windows)]
fn eyes(names: Names) -> Eyes {
    Eyes::Own(Machine::real(names))
}

#[cfg(target_os = "linux")]
fn refused(answer: &conflicts::helper::Answer) -> String {
    match answer {
        conflicts::helper::Answer::Refused(why) => format!("the helper does not answer this process: {why}"),
        other => format!("the helper gave another answer than was asked for: {other:?}"),
    }
}

/// A path as another process means it.
#[cfg(target_os = "linux")]
fn located(pid: u32, path: &str) -> PathBuf {
    let folder = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
    folder.join(path)
}

#[cfg(not(target_os = "linux"))]
fn located(_pid: u32, path: &str) -> PathBuf {
    PathBuf::from(path)
}

/// A variable of another process's environment; an error when that is not shown.
#[cfg(target_os = "linux")]
fn environment(pid: u32, name: &str) -> std::io::Result<Option<String>> {
    let all = std::fs::read(format!("/proc/{pid}/environ"))?;
    let found = all.split(|byte| *byte == 0).find_map(|entry| {
        let entry = String::from_utf8_lossy(entry);
        entry.split_once('=').filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    });
    Ok(found)
}

#[cfg(not(target_os = "linux"))]
fn environment(_pid: u32, _name: &str) -> std::io::Result<Option<String>> {
    Err(std::io::ErrorKind::Unsupported.into())
}

impl broker::session::Conflicts for Lookout {
    fn look(&self) -> BoxFuture<'_, Result<Vec<String>, String>> {
        Box::pin(async {
            let left = self.clear_the_way().await?;
            Ok(left.iter().map(ToString::to_string).collect())
        })
    }

    fn look_at_contest(&self) -> BoxFuture<'_, Result<Vec<String>, String>> {
        Box::pin(async {
            // Named first: what is stopped now is the cause all the same.
            let (_, found) = Lookout::look(self).await?;
            let left = self.clear_the_way().await?;
            let told = found.iter().map(|conflict| {
                let is_gone = !left.iter().any(|other| other.what == conflict.what);
                if is_gone && self.powers.stops {
                    format!("{} {} (stopped)", conflict.name(), conflict.why)
                } else {
                    conflict.to_string()
                }
            });
            Ok(told.collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use broker::session::Conflicts as _;
    use conflicts::{FakeMachine, made_up_script};

    use super::*;

    fn lookout(fake: &FakeMachine, powers: Powers) -> (Lookout, NewsReceiver) {
        Lookout::on(fake.machine(Names::default()), &Config::default(), powers)
    }

    #[tokio::test]
    async fn who_only_looks_names_what_to_type_and_stops_nothing() {
        let fake = FakeMachine::default();
        fake.add_process(made_up_script(4711, None));
        let (lookout, _news) = lookout(&fake, Powers::LOOKS);
        let found = broker::session::Conflicts::look(&lookout).await.expect("seen");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("run_sell_orders.py") && found[0].contains("kill 4711"), "{found:?}");
        assert_eq!(Lookout::look(&lookout).await.expect("seen").1.len(), 1, "it is still there");
    }

    #[tokio::test]
    async fn who_may_stops_it_tells_so_and_names_it_at_a_contest() {
        let fake = FakeMachine::default();
        fake.add_process(made_up_script(4711, None));
        let (lookout, mut news) = lookout(&fake, Powers { stops: true, ..Powers::LOOKS });
        let named = lookout.look_at_contest().await.expect("seen");
        assert!(named[0].contains("run_sell_orders.py") && named[0].contains("(stopped)"), "{named:?}");
        assert!(matches!(news.try_recv(), Ok(News::Step(step)) if step.outcome.is_ok()));
        assert_eq!(broker::session::Conflicts::look(&lookout).await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn the_unknown_blocks_and_the_flag_is_named_that_overrides_it() {
        let fake = FakeMachine::default();
        fake.blind(Some("the bus does not answer"));
        let (careful, mut news) = lookout(&fake, Powers::LOOKS);
        let why = broker::session::Conflicts::look(&careful).await.expect_err("unknown");
        assert!(why.contains("the bus does not answer") && why.contains(OVERRIDE), "{why}");
        careful.patrol().await;
        assert!(matches!(news.try_recv(), Ok(News::Blind(_))));
        let (trusting, _news) = lookout(&fake, Powers { trusts_the_unknown: true, ..Powers::LOOKS });
        assert_eq!(broker::session::Conflicts::look(&trusting).await, Ok(Vec::new()));
    }
}
