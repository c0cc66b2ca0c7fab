//! `plugin keygen`, `sign`, `verify` and `promote`.

use std::path::Path;

use anyhow::anyhow;
use model::{Clock as _, ContentHash};
use serde::Serialize;

use super::{examine, world_of};
use crate::cli::{KeygenArgs, PromoteArgs, SignArgs, VerifyArgs};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::control::Client;
use crate::control::views::StatusView;
use crate::control::wire::Request;
use crate::exit::Failure;
use crate::output;
use crate::signing::{Asked, AuthorKey, Promoted, PublicKey, Signed, Statement};

/// Makes a key.
pub fn keygen(args: &KeygenArgs) -> Result<(), Failure> {
    let key = AuthorKey::make(&args.file).map_err(|error| Failure::general(error.into()))?;
    output::line(&key.public().to_string());
    output::talk(&format!(
        "{} is the secret half: keep it to yourself. Operators who trust the line above write it into trusted_keys.",
        args.file.display()
    ));
    Ok(())
}

/// Signs a component.
pub fn sign(args: &SignArgs) -> Result<(), Failure> {
    let path = args.file.display();
    let seen = examine(&args.file)?;
    let world = world_of(&args.file, &seen, args.world)?;
    let key = AuthorKey::read(&args.key).map_err(|error| Failure::general(error.into()))?;
    let grants = Asked {
        symbols: (!args.symbol.is_empty()).then(|| args.symbol.iter().cloned().collect()),
        max_order_value: args.max_order_value,
        max_orders_per_day: args.max_orders_per_day,
    };
    let signed = key.sign(Statement { hash: seen.hash, world, contract: seen.contract, grants });
    let beside = Signed::beside(&args.file);
    signed.write(&beside).map_err(|error| Failure::general(error.into()))?;
    output::line(&format!("{} signs {path} for the world {world}", beside.display()));
    Ok(())
}

#[derive(Debug, Serialize)]
struct Verified {
    file: String,
    statement: Statement,
    key: PublicKey,
    /// Whether the configuration trusts the key.
    trusted: bool,
    /// Whether the operator has promoted it.
    promoted: bool,
}

/// Tells who vouches for a component. Exit 1 when nobody does whom the configuration trusts.
pub fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    let config = Config::load(args.config.path().as_deref())?;
    let path = args.file.display();
    let seen = examine(&args.file)?;
    let promoted = Promoted::load(&config.state_dir).map_err(|error| Failure::general(error.into()))?;
    let signed = Signed::of(&Signed::beside(&args.file), &seen.hash).map_err(|error| {
        let failure = Failure::general(error.into())
            .hint(format!("`tradeagent plugin sign {path} --key KEY` signs it"));
        if promoted.holds(&seen.hash) {
            failure.hint("it is promoted here, and may trade without a signature")
        } else {
            failure
        }
    })?;
    let verified = Verified {
        file: path.to_string(),
        trusted: config.trusted_keys.contains(&signed.key),
        promoted: promoted.holds(&seen.hash),
        statement: signed.statement,
        key: signed.key,
    };
    if args.json {
        output::json_versioned(&verified)?;
    } else {
        let Verified { statement, key, trusted, .. } = &verified;
        output::line(&format!(
            "{path}: signed by {key}, {}",
            if *trusted { "trusted" } else { "NOT trusted" }
        ));
        if verified.promoted {
            output::line("promoted here by the operator: it may trade, whoever signed it");
        }
        output::line(&format!("hash {}, world {}", statement.hash.as_str(), statement.world));
    }
    if verified.trusted || verified.promoted {
        return Ok(());
    }
    Err(Failure::general(anyhow!("the key of {path} is not trusted here"))
        .hint(format!("if you trust its author: trusted_keys = [\"{}\"] under [plugins]", verified.key)))
}

/// Lets exactly this component trade on a real account, whoever made it.
pub fn promote(args: &PromoteArgs) -> Result<(), Failure> {
    let config = Config::load(args.config.path().as_deref())?;
    let hash = which(&args.component, &config)?;
    let failed = |error: crate::signing::SigningError| Failure::general(error.into());
    let by = crate::control::who();
    Promoted::load(&config.state_dir)
        .and_then(|promoted| promoted.add(&config.state_dir, hash.clone(), SystemClock.now(), by))
        .map_err(failed)?;
    output::line(&format!(
        "{hash} may trade on account {}: where it waits in a running host (`tradeagent status`), it answers its strategy's next tick",
        config.account.name
    ));
    Ok(())
}

/// The component that is meant: a file's, or by its hash; the beginning of a hash is enough for one that waits in
/// the running host.
fn which(component: &str, config: &Config) -> Result<ContentHash, Failure> {
    let file = Path::new(component);
    if file.exists() || !component.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(examine(file)?.hash);
    }
    if component.len() < HASH_PREFIX_MIN {
        return Err(Failure::usage(anyhow!(
            "{component} is no file, and too little of a hash: another component could be made to begin like it"
        ))
        .hint(format!("name at least {HASH_PREFIX_MIN} characters; `tradeagent status` shows all {HASH_LENGTH}")));
    }
    let beginning = component.to_ascii_lowercase();
    if beginning.len() == HASH_LENGTH {
        return Ok(ContentHash::from(beginning.as_str()));
    }
    let status: StatusView = Client::connect(&config.control_socket)
        .and_then(|mut client| client.ask(&Request::Status))
        .map_err(|error| {
            Failure::from(error)
                .hint(format!("without a running host name all {HASH_LENGTH} characters, or the file"))
        })?;
    let mut waiting = status.versions.into_iter().filter_map(|view| view.candidate).map(|it| it.hash);
    let mut fits = waiting.by_ref().filter(|hash| hash.as_str().starts_with(&beginning));
    match (fits.next(), fits.next()) {
        (Some(hash), None) => Ok(hash),
        (None, _) => Err(Failure::usage(anyhow!("no version that waits begins with {beginning}"))
            .hint("`tradeagent status` shows those that wait")),
        (Some(_), Some(_)) => {
            Err(Failure::usage(anyhow!("two versions that wait begin with {beginning}"))
                .hint("name more of it"))
        }
    }
}

/// Characters of a hash.
const HASH_LENGTH: usize = 64;
/// Fewer than 128 bits could be those of two components that somebody made alike.
const HASH_PREFIX_MIN: usize = 32;
