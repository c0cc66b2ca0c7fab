//! `plugin`: what a component is, and a strategy's way out of quarantine.

mod check;
mod dev;
mod new;
mod sign;

use std::path::Path;

use anyhow::Context as _;
use runtime::{Inspection, Role};
use serde::Serialize;

use crate::cli::{CompileArgs, InspectArgs, ReleaseArgs};
use crate::commands::account::open;
use crate::exit::Failure;
use crate::output;

pub use check::check;
pub use dev::dev;
pub use new::new;
pub use sign::{keygen, promote, sign, verify};

/// The largest component that is looked at, in bytes.
const COMPONENT_MAX: u64 = 256 << 20;

#[derive(Debug, Serialize)]
struct Answer {
    version: u32,
    file: String,
    hash: model::ContentHash,
    bytes: usize,
    contract: Option<String>,
    roles: Vec<Role>,
    imports: Vec<String>,
    exports: Vec<String>,
    /// Why it loads in no role.
    refused: Option<String>,
}

/// The narrowest role first: what loads as a monitor loads in each wider role as well.
const NARROWEST: [Role; 5] = [Role::Monitor, Role::Eod, Role::Sell, Role::Buy, Role::Trader];

/// What a file is.
fn examine(file: &Path) -> Result<Inspection, Failure> {
    let path = file.display();
    let bytes = crate::strategies::read_component(file).with_context(|| format!("{path} cannot be read"))?;
    runtime::inspect(&bytes).map_err(|refusal| Failure::general(anyhow::anyhow!("{path}: {refusal}")))
}

/// The narrowest role in which it loads; none when it loads in no role.
pub(crate) fn narrowest(seen: &Inspection) -> Option<Role> {
    NARROWEST.into_iter().find(|role| seen.roles.contains(role))
}

/// The world that is asked for, or the narrowest that fits; an error when the component does not load in it.
fn world_of(file: &Path, seen: &Inspection, asked: Option<Role>) -> Result<Role, Failure> {
    // No role at all: the widest one says why.
    let role = asked.or_else(|| narrowest(seen)).unwrap_or(Role::Trader);
    seen.check(role).map_err(|refusal| Failure::general(anyhow::anyhow!("{}: {refusal}", file.display())))?;
    Ok(role)
}

/// Compiles a component from standard input into a cache, within bounds.
pub fn compile(args: &CompileArgs) -> Result<(), Failure> {
    crate::hotswap::compile_here(&args.cache)
}

/// Tells what a file is, without running it.
pub fn inspect(args: &InspectArgs) -> Result<(), Failure> {
    let path = args.file.display();
    let size = std::fs::metadata(&args.file).with_context(|| format!("{path} cannot be read"))?.len();
    if size > COMPONENT_MAX {
        return Err(Failure::general(anyhow::anyhow!(
            "{path} has {size} bytes; a component has at most {COMPONENT_MAX}"
        )));
    }
    let seen = examine(&args.file)?;
    // No role at all: the widest one says why.
    let refused =
        if seen.roles.is_empty() { seen.check(Role::Trader).err().map(|why| why.to_string()) } else { None };
    let answer = Answer {
        version: output::JSON_VERSION,
        file: path.to_string(),
        hash: seen.hash,
        bytes: seen.bytes,
        contract: seen.contract,
        roles: seen.roles,
        imports: seen.imports,
        exports: seen.exports,
        refused,
    };
    if args.json {
        output::json(&answer)?;
    } else {
        show(&answer);
    }
    match answer.refused {
        None => Ok(()),
        Some(why) => Err(Failure::general(anyhow::anyhow!("{path} loads in no role: {why}"))),
    }
}

fn show(answer: &Answer) {
    let say = |what: &str, text: &str| output::line(&format!("{what:<9} {}", output::plain(text)));
    say("file", &answer.file);
    say("hash", answer.hash.as_str());
    say("size", &format!("{} bytes", answer.bytes));
    say("contract", answer.contract.as_deref().unwrap_or("names none"));
    let roles: Vec<&str> = answer.roles.iter().map(|role| role.as_str()).collect();
    say("roles", &if roles.is_empty() { "none".to_owned() } else { roles.join(", ") });
    for import in &answer.imports {
        say("imports", import);
    }
    for export in &answer.exports {
        say("exports", export);
    }
}

/// Takes a strategy out of quarantine.
pub fn release(args: &ReleaseArgs) -> Result<(), Failure> {
    let account = open(&args.read)?;
    account.access.release(&account.config, account.clock, args.strategy.as_str().into())?;
    if args.read.json {
        #[derive(Serialize)]
        struct Released<'a> {
            strategy: &'a str,
            strikes: u32,
        }
        return output::json_versioned(Released { strategy: &args.strategy, strikes: 0 });
    }
    output::line(&format!("strategy `{}` may run again", output::plain(&args.strategy)));
    Ok(())
}
