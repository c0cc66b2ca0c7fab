//! The helper's side of its socket.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::{Answer, Ask};
use crate::machine::Machine;
use crate::names::UNIFIED;
use crate::notes::RetiredNotes;
use crate::processes::started;
use crate::rules::{Me, conflicts};

/// A question is a word.
const QUESTION_BYTES_MAX: u64 = 64;
/// The longest that an asker may take to ask.
const QUESTION_WITHIN: Duration = Duration::from_secs(5);

/// Answers on `listener`, one asker after the other, until it is dropped. `is_allowed` decides about user
/// and process of an asker.
pub async fn serve(
    listener: UnixListener,
    machine: &Machine,
    notes: &RetiredNotes,
    is_allowed: &(dyn Fn(u32, u32) -> bool + Sync),
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Who goes away in the middle has no answer to get.
        let _ = answer(stream, machine, notes, is_allowed).await;
    }
}

/// Root, or a process of the host's unit.
pub fn root_or_host(user: u32, pid: u32) -> bool {
    user == 0 || crate::linux::unit_of(pid).as_deref() == Some(UNIFIED)
}

#[expect(clippy::disallowed_methods, reason = "waits for another program on a real machine")]
async fn answer(
    stream: UnixStream,
    machine: &Machine,
    notes: &RetiredNotes,
    is_allowed: &(dyn Fn(u32, u32) -> bool + Sync),
) -> std::io::Result<()> {
    let peer = stream.peer_cred()?;
    let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default();
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(read.take(QUESTION_BYTES_MAX));
    match tokio::time::timeout(QUESTION_WITHIN, reader.read_line(&mut line)).await {
        Ok(read) => read?,
        Err(_) => return Ok(()),
    };
    let answer = if !is_allowed(peer.uid(), pid) {
        Answer::Refused(format!("process {pid} of user {} is neither root's nor {UNIFIED}", peer.uid()))
    } else {
        match serde_json::from_str(&line) {
            Ok(question) => act(question, pid, machine, notes).await,
            Err(error) => Answer::Refused(format!("no such question: {error}")),
        }
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    write.write_all(&line).await
}

async fn act(question: Ask, pid: u32, machine: &Machine, notes: &RetiredNotes) -> Answer {
    let me = Me { pids: vec![pid], started: started(pid).unwrap_or_default() };
    match question {
        Ask::Look => Answer::Seen(machine.survey().await.map(|survey| {
            let found = conflicts(&survey, &me);
            (survey, found)
        })),
        Ask::Resolve => Answer::Resolved(machine.resolve(&me, false, &|retired| notes.add(retired)).await),
    }
}
