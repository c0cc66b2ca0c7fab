//! The helper's side of its socket.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, Semaphore};

use super::{Answer, Ask, Seen};
use crate::machine::Machine;
use crate::names::UNIFIED;
use crate::notes::RetiredNotes;
use crate::processes::started;
use crate::rules::{Me, conflicts};

/// A question is a word.
const QUESTION_BYTES_MAX: u64 = 64;
/// The longest that an asker may take to ask.
const QUESTION_WITHIN: Duration = Duration::from_secs(5);

/// Askers at one time.
const ASKERS_MAX: usize = 16;

/// What the helper works with.
pub struct Helper {
    /// Where it looks.
    pub machine: Machine,
    /// Where it writes down what it changes.
    pub notes: RetiredNotes,
    /// Decides about user and process of an asker.
    pub is_allowed: fn(u32, u32) -> bool,
}

/// Answers on `listener` until it is dropped, each asker by itself: one that says nothing holds nobody up.
pub async fn serve(listener: UnixListener, helper: Helper) {
    let helper = Arc::new(helper);
    let changes = Arc::new(Mutex::new(()));
    let room = Arc::new(Semaphore::new(ASKERS_MAX));
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Strangers are not even listened to.
        let peer = stream.peer_cred();
        let is_allowed = peer.as_ref().is_ok_and(|peer| (helper.is_allowed)(peer.uid(), pid_of(peer)));
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        let (helper, changes) = (Arc::clone(&helper), Arc::clone(&changes));
        tokio::spawn(async move {
            // Who goes away in the middle has no answer to get.
            let _ = answer(stream, is_allowed, &helper, &changes).await;
            drop(place);
        });
    }
}

fn pid_of(peer: &tokio::net::unix::UCred) -> u32 {
    peer.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default()
}

/// Root, or a process of the host's unit.
pub fn root_or_host(user: u32, pid: u32) -> bool {
    user == 0 || crate::linux::unit_of(pid).as_deref() == Some(UNIFIED)
}

#[expect(clippy::disallowed_methods, reason = "waits for another program on a real machine")]
async fn answer(
    stream: UnixStream,
    is_allowed: bool,
    helper: &Helper,
    changes: &Mutex<()>,
) -> std::io::Result<()> {
    let peer = stream.peer_cred()?;
    let pid = pid_of(&peer);
    let (read, mut write) = stream.into_split();
    if !is_allowed {
        let why = format!("process {pid} of user {} is neither root's nor {UNIFIED}", peer.uid());
        let mut line = serde_json::to_vec(&Answer::Refused(why))?;
        line.push(b'\n');
        return write.write_all(&line).await;
    }
    let mut line = String::new();
    let mut reader = BufReader::new(read.take(QUESTION_BYTES_MAX));
    match tokio::time::timeout(QUESTION_WITHIN, reader.read_line(&mut line)).await {
        Ok(read) => read?,
        Err(_) => return Ok(()),
    };
    let answer = match serde_json::from_str(&line) {
        Ok(question) => act(question, pid, helper, changes).await,
        Err(error) => Answer::Refused(format!("no such question: {error}")),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    write.write_all(&line).await
}

async fn act(question: Ask, pid: u32, helper: &Helper, changes: &Mutex<()>) -> Answer {
    let Helper { machine, notes, .. } = helper;
    let me = Me { pids: vec![pid], started: started(pid).unwrap_or_default() };
    match question {
        Ask::Look => Answer::Seen(machine.survey().await.map(|survey| {
            let conflicts = conflicts(&survey, &me);
            Seen { survey, conflicts, names: machine.names.clone() }
        })),
        Ask::Resolve => {
            // One at a time; looks go on meanwhile.
            let _turn = changes.lock().await;
            Answer::Resolved(machine.resolve(&me, false, &|retired| notes.add(retired)).await)
        }
    }
}
