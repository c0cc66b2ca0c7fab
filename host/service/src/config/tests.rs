use std::path::Path;

use super::*;
use crate::schedule::{CatchUp, Every};

fn parse(source: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("/etc/tradeagent.toml"), source)
}

#[track_caller]
fn fault(source: &str) -> Fault {
    match parse(source) {
        Err(ConfigError::Fault(fault)) => *fault,
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn an_empty_file_is_the_default() {
    let config = parse("").expect("empty");
    assert_eq!(Config { path: None, ..config }, Config::default());
}

#[test]
fn the_default_is_paper_with_four_strategies_and_their_schedule() {
    let config = Config::default();
    assert_eq!(config.account.broker, BrokerKind::Paper);
    assert_eq!(config.account.cash, Money::from_rupees(1_000_000));
    let names: Vec<&str> = config.strategies.keys().map(StrategyName::as_str).collect();
    assert_eq!(names, ["buy", "eod", "monitor", "sell"]);
    let schedule: Vec<String> = config
        .tasks
        .iter()
        .map(|task| {
            format!(
                "{} {} {} {:?} {}",
                task.name,
                task.at,
                String::from(task.deadline),
                task.catch_up,
                task.resume
            )
        })
        .collect();
    assert_eq!(
        schedule,
        [
            "sell open 1m Skip false",
            "buy close+35m 1h Once true",
            "monitor open+15m 15m Skip false",
            "eod 18:00:00 5h Once true"
        ]
    );
}

#[test]
fn everything_can_be_said() {
    let config = parse(
        r#"
        state_dir = "state"
        [account.zerodha-1]
        broker = "paper-remote"
        address = "127.0.0.1:9999"
        cash = "250000.50"
        volume_share = 0.25
        positions = [{ symbol = "TCS", quantity = 10, price = 3500.05 }]
        [account.zerodha-1.tariff]
        name = "plan"
        delivery = { percent = 0.25, min = 1, max = 20 }
        [data]
        dir = "/data"
        [calendar]
        closures = [{ exchange = "NSE", date = "2026-01-15", reason = "municipal elections" }]
        [amo]
        from = "16:00"
        [limits]
        max_order_value = 50000
        max_daily_loss = "none"
        [lock]
        dir = "/run/lock/x"
        [control]
        socket = "/run/x.sock"
        [notify]
        command = ["mail", "me"]
        webhook = "https://example.com/hook"
        timeout_seconds = 5
        [strategy.mine]
        role = "trader"
        component = "mine.wasm"
        params = { fast = 5, ratio = 0.5, live = true, name = "x" }
        grants = { symbols = ["TCS"], max_order_value = 1000, max_orders_per_day = 3 }
        limits = { memory_mib = 32, run_seconds = 5 }
        [task.mine]
        at = "open+5m"
        every = "5m"
        until = "close-10m"
        sessions = "all"
        deadline = "2m"
        catch_up = "once"
        resume = true
        [rehearsal]
        from = "2026-01-15T15:55"
        until = "2026-01-16T18:05:30"
        "#,
    )
    .expect("a good file");
    assert_eq!(config.state_dir, Path::new("/etc/state"));
    assert_eq!(config.account.name.as_str(), "zerodha-1");
    assert_eq!(
        config.account.broker,
        BrokerKind::PaperRemote { address: "127.0.0.1:9999".parse().expect("an address") }
    );
    assert_eq!(
        (config.account.cash.to_string(), config.account.volume_share_percent),
        ("250000.50".into(), 25)
    );
    assert_eq!(config.account.tariff.delivery.rate.ppb(), 2_500_000);
    assert_eq!(config.account.positions[0].price.to_string(), "3500.05");
    assert_eq!(config.journal_path(), Path::new("/etc/state/zerodha-1.journal.sqlite"));
    assert_eq!(config.limits.max_daily_loss, None);
    assert_eq!(config.strategies.len(), 1);
    let mine = &config.strategies["mine"];
    assert_eq!(mine.component, Component::File("/etc/mine.wasm".into()));
    let params: Vec<&str> = mine.params.values().map(String::as_str).collect();
    assert_eq!(params, ["5", "true", "x", "0.5"]);
    assert_eq!(config.tasks.len(), 1);
    assert_eq!((config.tasks[0].deadline, config.tasks[0].catch_up), (Every::minutes(2), CatchUp::Once));
    let calendar = config.calendar().expect("a calendar");
    let closed: Date = "2026-01-15".parse().expect("a date");
    assert!(!calendar.is_trading_day(Exchange::Nse, closed).expect("known"));
    assert!(config.rehearsal.is_some());
}

#[test]
fn a_table_without_component_changes_the_builtin_of_its_name() {
    let config = parse("[strategy.sell]\nparams = { floor = 3 }\n[task.sell]\nevery = \"5m\"").expect("good");
    assert_eq!(config.strategies.len(), 4);
    assert_eq!(config.strategies["sell"].params["floor"], "3");
    assert_eq!(config.tasks.len(), 4);
    assert_eq!(config.tasks[0].every, Some(Every::minutes(5)));
    let only = parse("[strategy.sell]\ncomponent = \"builtin:sell\"").expect("good");
    assert_eq!((only.strategies.len(), only.tasks.len()), (1, 1));
}

#[test]
fn an_unknown_key_shows_its_line_and_the_nearest_key() {
    let fault = fault("[account.main]\nbroker = \"paper\"\ncahs = 5\n");
    assert_eq!(
        fault.to_string(),
        "unknown key `cahs`\n --> /etc/tradeagent.toml:3:1\n  |\n3 | cahs = 5\n  | ^^^^"
    );
    assert_eq!(fault.help, "did you mean `cash`?");
}

#[test]
fn every_table_refuses_what_it_does_not_know() {
    for source in [
        "x = 1",
        "[account.a]\nx = 1",
        "[account.a]\npositions = [{ symbol = \"A\", quantity = 1, price = 1, x = 1 }]",
        "[account.a.tariff]\nname = \"n\"\nx = 1",
        "[account.a.tariff]\nname = \"n\"\ndp = { percent = 1, x = 1 }",
        "[data]\nx = 1",
        "[calendar]\nx = 1",
        "[calendar]\nclosures = [{ exchange = \"NSE\", date = \"2026-01-15\", reason = \"r\", x = 1 }]",
        "[amo]\nx = 1",
        "[limits]\nx = 1",
        "[lock]\nx = 1",
        "[control]\nx = 1",
        "[notify]\nx = 1",
        "[strategy.sell]\nx = 1",
        "[strategy.sell.grants]\nx = 1",
        "[strategy.sell.limits]\nx = 1",
        "[task.sell]\nx = 1",
        "[rehearsal]\nfrom = \"2026-01-15T15:55\"\nuntil = \"2026-01-15T16:55\"\nx = 1",
    ] {
        let fault = fault(source);
        assert_eq!(fault.what, "unknown key `x`", "{source}");
        assert!(fault.text.contains('x'), "{source}: {fault}");
    }
}

#[test]
fn what_makes_no_sense_is_said_where_it_stands() {
    for (source, line, what) in [
        ("[account.a]\n[account.b]", 2, "there are two accounts, `a` and `b`"),
        ("[account.\"A B\"]\ncash = 1", 1, "`A B` is not a name"),
        ("[account.a]\nvolume_share = 2", 2, "2 is not a share: write 0.01 to 1.00 in steps of 0.01"),
        ("[account.a]\nbroker = \"zerodha\"", 2, "`zerodha` is not a value of this key"),
        ("[account.a]\naddress = \"127.0.0.1:1\"", 1, "`address` is for broker = \"paper-remote\""),
        (
            "\n[amo]\nfrom = \"08:00\"",
            2,
            "the after-market window 08:00:00 to 08:57:00 does not run across midnight",
        ),
        ("[notify]\nwebhook = \"example.com\"", 2, "the webhook is not a URL"),
        ("[notify]\ncommand = []", 2, "the command is empty"),
        ("[notify]\ntimeout_seconds = 0", 2, "0 seconds is outside of 1 to 300"),
        ("[strategy.mine]\nparams = {}", 1, "strategy `mine` has no component"),
        ("[strategy.mine]\ncomponent = \"m.wasm\"", 1, "strategy `mine` has no role"),
        (
            "[strategy.x]\ncomponent = \"builtin:sel\"\nrole = \"sell\"",
            1,
            "there is no built-in strategy `sel`",
        ),
        (
            "[strategy.mine]\ncomponent = \"m.wasm\"\nrole = \"buy\"",
            1,
            "strategy `mine` has no task: it would never run",
        ),
        ("[task.x]\nstrategy = \"sel\"\nat = \"open\"", 2, "there is no strategy `sel`"),
        ("[task.x]\nat = \"open\"", 1, "task `x` does not say which strategy runs"),
        ("[task.x]\nstrategy = \"sell\"", 1, "task `x` does not say when"),
        ("[task.buy]\nuntil = \"close\"", 1, "task `buy` has `until` without `every`"),
        ("[strategy.sell.limits]\nmemory_mib = 0", 1, "limits.memory_mib = 0 is outside of 1 to 4096"),
        (
            "[rehearsal]\nfrom = \"2026-01-15T15:55\"\nuntil = \"2026-01-15T15:55\"",
            1,
            "the rehearsal ends before it begins",
        ),
    ] {
        let fault = fault(source);
        assert_eq!((fault.line, fault.what.as_str()), (line, what), "{source}\n{fault}");
        assert!(!fault.help.is_empty(), "{source}");
    }
    let when = fault("[task.sell]\nat = \"noon\"");
    assert!(when.line == 2 && when.what.contains("close+35m"), "{when}");
    let broken = fault("[account.a\ncash = 1");
    assert_eq!(broken.line, 1, "{broken}");
}

#[test]
fn params_go_over_the_file() {
    let mut config = parse("[strategy.buy]\nparams = { trend_ema = 200 }").expect("good");
    config.apply_params(&["buy.trend_ema=50".into(), "sell.a.b = c=d".into()]).expect("good");
    assert_eq!(config.strategies["buy"].params["trend_ema"], "50");
    assert_eq!(config.strategies["sell"].params["a.b"], "c=d");
    for (text, said) in [
        ("buy.x", "--param buy.x: there is no `=`"),
        ("x=1", "--param x=1: the strategy is missing before the key"),
        ("by.x=1", "--param by.x=1: there is no strategy `by`; there are buy, eod, monitor, sell"),
        ("buy.=1", "--param buy.=1: the key after the strategy is empty"),
    ] {
        assert_eq!(config.apply_params(&[text.into()]).expect_err(text).to_string(), said);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Config::load(Some(Path::new("/no/such.toml"))).expect_err("missing");
    assert!(error.to_string().starts_with("/no/such.toml cannot be read: "), "{error}");
    let failure = crate::exit::Failure::from(error);
    assert_eq!(failure.exit, crate::exit::Exit::Config);
}

#[test]
fn a_task_table_changes_the_default_of_its_name_or_adds_one() {
    let names = |source: &str| -> Vec<String> {
        parse(source).expect(source).tasks.into_iter().map(|task| task.name).collect()
    };
    assert_eq!(names("[task.buy]\nat = \"18:30\""), ["sell", "buy", "monitor", "eod"]);
    assert_eq!(
        names("[task.early]\nstrategy = \"sell\"\nat = \"open\""),
        ["buy", "monitor", "eod", "early"],
        "the strategy is scheduled by the file alone"
    );
    assert_eq!(
        names("[task.sell]\nresume = true\n[task.late]\nstrategy = \"sell\"\nat = \"close-5m\""),
        ["sell", "buy", "monitor", "eod", "late"]
    );
}

#[test]
fn the_sample_configuration_is_good() {
    let config = parse(include_str!("../../../../deploy/tradeagent.toml")).expect("the sample is good");
    let default = Config::default();
    assert_eq!(
        (&config.account, &config.limits, &config.tasks),
        (&default.account, &default.limits, &default.tasks)
    );
    let names: Vec<&StrategyName> = config.strategies.keys().collect();
    assert!(names.into_iter().eq(default.strategies.keys()));
}

#[test]
fn a_kotak_neo_account_has_its_keys_and_its_own_task() {
    let config =
        parse("[account.main]\nbroker = \"kotak-neo\"\nenv_file = \"k.env\"\nlogin_at = \"08:15\"\n")
            .expect("valid");
    let super::BrokerKind::KotakNeo(kotak) = &config.account.broker else { panic!("kotak-neo") };
    assert_eq!(kotak.base_url, "https://mis.kotaksecurities.com");
    assert!(kotak.env_file.as_ref().is_some_and(|path| path.ends_with("k.env")));
    assert_eq!(kotak.login_at.to_string(), "08:15:00");
    let own = config.tasks.iter().find(|task| task.name == "data-update").expect("the host's own task");
    assert_eq!(own.at, "close+20m".parse().expect("a time"));
    let moved = parse("[account.main]\nbroker = \"kotak-neo\"\n[task.data-update]\nat = \"18:30\"\n");
    let moved = moved.expect("valid");
    let own = moved.tasks.iter().find(|task| task.name == "data-update").expect("still there");
    assert_eq!(own.at, "18:30".parse().expect("a time"));
    assert!(parse("").expect("valid").tasks.iter().all(|task| task.name != "data-update"), "not on paper");
}

#[test]
fn what_does_not_belong_to_the_broker_is_refused() {
    for (text, words) in [
        ("[account.main]\nbase_url = \"https://x\"\n", "broker = \"kotak-neo\""),
        ("[account.main]\nbroker = \"kotak-neo\"\ncash = 5\n", "broker = \"paper\""),
        ("[account.main]\nbroker = \"kotak-neo\"\naddress = \"127.0.0.1:1\"\n", "paper-remote"),
        ("[account.main]\nbroker = \"kotak-neo\"\nbase_url = \"http://example.org\"\n", "in the clear"),
        ("[account.main]\nbroker = \"kotak-neo\"\nbase_url = \"ftp://x\"\n", "in the clear"),
        ("[account.main]\nbroker = \"kotak-neo\"\nlogins_per_day = 0\n", "outside of 1 to 50"),
        (
            "[account.main]\nbroker = \"kotak-neo\"\n[rehearsal]\nfrom = \"2026-05-12T10:00\"\nuntil = \"2026-05-12T11:00\"\n",
            "rehearsal",
        ),
        ("[account.main]\nbroker = \"kotak-neo\"\n[task.data-update]\nstrategy = \"buy\"\n", "host's own"),
    ] {
        let error = parse(text).expect_err(text).to_string();
        assert!(error.contains(words), "{text}\n{error}");
    }
    parse("[account.main]\nbroker = \"kotak-neo\"\nbase_url = \"http://127.0.0.1:8787/\"\n")
        .expect("a sim here");
    parse("[account.main]\nbroker = \"kotak-neo\"\nbase_url = \"http://[::1]:8787\"\n").expect("a sim here");
}
