//! What each command does. One file each; the arguments are in [`crate::cli`].

mod account;
pub mod backtest;
pub mod data;
pub mod data_update;
pub mod demo;
pub mod doctor;
pub mod guard;
mod journal_line;
pub mod kill_switch;
pub mod login;
pub mod migrate;
pub mod orders;
pub mod paper_exchange;
pub mod plugin;
pub mod positions;
pub mod replay;
pub mod run;
pub mod runs;
pub mod selftest;
pub mod service;
pub mod services;
pub mod simulate;
pub mod status;

use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::{Cli, Command, DataCommand, OrdersCommand, PluginCommand};
use crate::exit::{Exit, Failure};

/// Runs `work` on a runtime of its own.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.context("the runtime cannot start")?.block_on(work))
}

/// Does what was typed.
pub fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    let done = |done: Result<(), Failure>| done.map(|()| Exit::Ok);
    let exit = match cli.command {
        Command::Demo(args) => done(demo::run(&args)),
        Command::Run(args) => done(run::run(&args)),
        Command::Simulate(args) => done(simulate::run(&args)),
        Command::Backtest(args) => done(backtest::run(&args)),
        Command::Login(args) => done(login::run(&args)),
        Command::Status(args) => status::run(&args),
        Command::Orders(args) => match &args.command {
            Some(OrdersCommand::Resolve(resolve)) => done(orders::resolve(resolve)),
            None => done(orders::run(&args)),
        },
        Command::Positions(args) => done(positions::run(&args)),
        Command::Replay(args) => replay::run(&args),
        Command::Runs(args) => done(runs::run(&args)),
        Command::KillSwitch(args) => done(kill_switch::run(&args)),
        Command::Data(args) => match &args.command {
            DataCommand::Import(import) => done(data::import(import)),
            DataCommand::Info(info) => done(data::info(info)),
            DataCommand::Update(update) => done(data_update::run(update)),
        },
        Command::Plugin(args) => match &args.command {
            PluginCommand::Inspect(inspect) => done(plugin::inspect(inspect)),
            PluginCommand::Dev(dev) => done(plugin::dev(dev)),
            PluginCommand::New(new) => done(plugin::new(new)),
            PluginCommand::Keygen(keygen) => done(plugin::keygen(keygen)),
            PluginCommand::Sign(sign) => done(plugin::sign(sign)),
            PluginCommand::Verify(verify) => done(plugin::verify(verify)),
            PluginCommand::Promote(promote) => done(plugin::promote(promote)),
            PluginCommand::Check(check) => done(plugin::check(check)),
            PluginCommand::Release(release) => done(plugin::release(release)),
            PluginCommand::Compile(compile) => done(plugin::compile(compile)),
        },
        Command::PaperExchange(args) => done(paper_exchange::run(&args)),
        Command::Doctor(args) => doctor::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::Selftest(args) => selftest::run(&args),
        Command::Service(args) => service::run(&args),
        Command::Services(args) => services::run(&args),
        Command::Guard(args) => return guard::run(&args).map(ExitCode::from),
    }?;
    Ok(exit.into())
}
