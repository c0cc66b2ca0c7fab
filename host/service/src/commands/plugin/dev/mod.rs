//! `plugin dev`: a save is live at once, in a host that runs already or on two days that are traded here.

mod beside;
mod build;
mod days;

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use model::{ContentHash, StrategyName};
use serde::Serialize;

use self::build::{Builder, Built};
use crate::cli::DevArgs;
use crate::config::{Component, Config};
use crate::exit::Failure;
use crate::hotswap::{SwapEvent, VersionsView};
use crate::output;

/// What is worked on.
struct Project {
    config: Config,
    strategy: StrategyName,
    builder: Builder,
}

impl Project {
    fn read(args: &DevArgs) -> Result<Self, Failure> {
        let dir =
            args.dir.canonicalize().with_context(|| format!("{} cannot be read", args.dir.display()))?;
        let path = args.config.clone().unwrap_or_else(|| dir.join("tradeagent.toml"));
        let config = Config::load(Some(&path)).map_err(|error| {
            Failure::from(error).hint("`tradeagent plugin new NAME --world …` makes a project that has one")
        })?;
        let mut of_files =
            config.strategies.iter().filter_map(|(name, strategy)| match &strategy.component {
                Component::File(file) => Some((name.clone(), file.clone())),
                Component::Builtin(_) => None,
            });
        let (strategy, artefact) = of_files.next().ok_or_else(|| {
            Failure::usage(anyhow!("no strategy in {} has a component from a file", path.display()))
                .hint("component = \"target/wasm32-wasip2/release/NAME.wasm\" under [strategy.NAME]")
        })?;
        if let Some((other, _)) = of_files.next() {
            return Err(Failure::usage(anyhow!(
                "{} has two strategies from files, `{strategy}` and `{other}`: one is worked on at a time",
                path.display()
            ))
            .hint("name a configuration of one strategy by --config"));
        }
        let builder = Builder::new(&dir, args.build.clone(), &artefact, &config.state_dir);
        Ok(Self { config, strategy, builder })
    }
}

/// One thing that is told.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Told<'a> {
    /// A build ended.
    Build { ok: bool, words: Option<String> },
    /// The days begin, with this version.
    Begins { strategy: &'a StrategyName, hash: ContentHash },
    /// Something became of a version.
    Version {
        strategy: &'a StrategyName,
        #[serde(flatten)]
        version: &'a SwapEvent,
    },
    /// How the versions stand in the host that runs.
    Versions(&'a VersionsView),
    /// The days could not be traded.
    Trouble { words: String },
    /// The days are over.
    Days(days::Account),
}

/// Tells it: in words, or as JSON.
#[derive(Clone, Copy)]
struct Teller {
    is_json: bool,
}

impl Teller {
    fn tell(self, told: &Told<'_>) {
        if self.is_json {
            match serde_json::to_string(told) {
                Ok(line) => output::line(&line),
                Err(error) => tracing::error!(%error, "an event cannot be written as JSON"),
            }
            return;
        }
        match told {
            Told::Build { ok: true, .. } => output::line("built"),
            Told::Build { words, .. } => {
                output::line(words.as_deref().unwrap_or_default());
                output::line("the build failed; the version before it stays");
            }
            Told::Begins { strategy, hash } => {
                output::line(&output::plain(&format!("{strategy}: the days begin with {hash}")));
            }
            Told::Version { strategy, version } => {
                output::line(&output::plain(&format!("{strategy}: {version}")));
            }
            Told::Versions(view) => output::line(&output::plain(&beside::words(view))),
            Told::Trouble { words } => output::line(words),
            Told::Days(account) => output::line(&account.to_string()),
        }
    }

    fn words(self, text: &str) {
        if !self.is_json {
            output::line(text);
        }
    }

    fn trouble(self, failure: &Failure) {
        if self.is_json {
            self.tell(&Told::Trouble { words: failure.text() });
        } else {
            output::line(&failure.text());
        }
    }

    /// Tells how a build ended; true: well.
    fn built(self, built: Built) -> bool {
        let words = match built {
            Built::Well => None,
            Built::Badly(words) => Some(words),
            Built::Restless => {
                self.words(
                    "each build changes files beside the sources; the next one waits for a save (let it write below `target`)",
                );
                return false;
            }
        };
        let ok = words.is_none();
        self.tell(&Told::Build { ok, words });
        ok
    }
}

/// Works on a project until Ctrl-C.
pub fn dev(args: &DevArgs) -> Result<(), Failure> {
    let project = Project::read(args)?;
    let teller = Teller { is_json: args.json };
    if let Some(host) = beside::Host::reach(&project) {
        teller.words("a host runs with this configuration: it takes each version over");
        return host.follow(&project, teller);
    }
    teller.words("building");
    let (told, builds) = std::sync::mpsc::channel();
    let tell = move |built| {
        // Nobody listens any more: the command ends.
        let _ = told.send(teller.built(built));
    };
    let following = project.builder.follow(Arc::new(tell)).context("the project cannot be watched")?;
    let traded = days::trade(&project, args, teller, &builds);
    drop(following);
    traded
}
