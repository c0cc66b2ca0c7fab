//! A host that runs with the project's configuration already: it takes versions over by itself, and is asked here
//! what became of them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::Context as _;

use super::{Project, Teller, Told};
use crate::control::views::StatusView;
use crate::control::wire::Request;
use crate::control::{Client, ClientError};
use crate::exit::Failure;
use crate::hotswap::VersionsView;

/// How often the host is asked.
const ASK: Duration = Duration::from_millis(100);

/// The way to it.
pub(super) struct Host {
    client: Client,
}

impl Host {
    /// The host at the control socket of the project's configuration; none: nobody answers there.
    pub(super) fn reach(project: &Project) -> Option<Self> {
        Client::connect(&project.config.control_socket).ok().map(|client| Self { client })
    }

    /// Builds at each change, and tells what the host made of it, until it goes.
    pub(super) fn follow(mut self, project: &Project, teller: Teller) -> Result<(), Failure> {
        let (told, builds): (_, Receiver<bool>) = channel();
        let tell = move |built| {
            // Nobody listens any more: this one ends as well.
            let _ = told.send(teller.built(built));
        };
        let _following = project.builder.follow(Arc::new(tell)).context("the project cannot be watched")?;
        let mut shown = None;
        loop {
            // A build wakes it; the host is asked in any case.
            let _ = builds.recv_timeout(ASK);
            let status: StatusView = match self.client.ask(&Request::Status) {
                Ok(status) => status,
                Err(ClientError::NobodyThere(_)) => {
                    teller.words("the host has ended");
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let now = status.versions.into_iter().find(|view| view.strategy == project.strategy);
            if now != shown
                && let Some(view) = &now
            {
                teller.tell(&Told::Versions(view));
            }
            shown = now;
        }
    }
}

/// How its versions stand, in a line.
pub(super) fn words(view: &VersionsView) -> String {
    let mut text = format!("live: {}", view.live);
    if let Some(candidate) = &view.candidate {
        text.push_str(&format!("; {} waits: {}", candidate.hash, candidate.why));
    }
    if let Some(last) = &view.last {
        text.push_str(&format!(" ({last})"));
    }
    text
}
