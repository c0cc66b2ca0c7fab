use std::collections::BTreeSet;

use anyhow::{Context, Result};
use wit_component::DecodedWasm;

use super::*;

const PACKAGE: &str = "tradeagent:strategy/";
const COMMON: [&str; 9] =
    ["types", "run", "log", "market", "portfolio", "order-book", "state", "config", "notify"];

/// The interfaces that a component imports and exports, without package and version.
fn surface(bytes: &[u8]) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(bytes)? else {
        anyhow::bail!("not a component")
    };
    let world = &resolve.worlds[world];
    let names = |keys: Vec<String>| -> Result<BTreeSet<String>> {
        keys.iter()
            .map(|key| {
                let ours = key.strip_prefix(PACKAGE).with_context(|| format!("{key} is not ours"))?;
                let (name, version) = ours.split_once('@').context("no version")?;
                anyhow::ensure!(version.starts_with("0.1."), "{key}");
                Ok(name.to_owned())
            })
            .collect()
    };
    let imports = names(world.imports.keys().map(|key| resolve.name_world_key(key)).collect())?;
    let exports = names(world.exports.keys().map(|key| resolve.name_world_key(key)).collect())?;
    Ok((imports, exports))
}

#[test]
fn each_imports_no_more_than_its_role_may() -> Result<()> {
    for shipped in all() {
        let (imports, exports) = surface(shipped.bytes).context(shipped.name)?;
        let act: &[&str] = match shipped.role {
            "sell" => &["selling", "cancelling"],
            "buy" => &["buying", "cancelling"],
            "eod" => &["cancelling"],
            "monitor" => &[],
            _ => &["buying", "selling", "cancelling"],
        };
        for import in &imports {
            let may = COMMON.contains(&import.as_str()) || act.contains(&import.as_str());
            assert!(may, "{} imports {import}", shipped.name);
        }
        assert_eq!(exports, BTreeSet::from(["task".to_owned()]), "{}", shipped.name);
        println!("{:>10} {:>7} bytes, imports {imports:?}", shipped.name, shipped.bytes.len());
    }
    Ok(())
}

#[test]
fn each_can_do_what_it_is_for() -> Result<()> {
    let needs = [
        ("sell", &["selling", "portfolio", "market", "order-book", "state"][..]),
        ("buy", &["buying", "portfolio", "market", "order-book"]),
        ("monitor", &["notify", "portfolio", "market"]),
        ("eod", &["cancelling", "portfolio", "order-book"]),
        ("ema-cross", &["buying", "selling", "config"]),
    ];
    for (name, interfaces) in needs {
        let shipped = find(name).with_context(|| format!("no {name}"))?;
        let (imports, _) = surface(shipped.bytes)?;
        for interface in interfaces {
            assert!(imports.contains(*interface), "{name} does not import {interface}");
        }
    }
    Ok(())
}

#[test]
fn function_names_are_there_for_a_trap() {
    for shipped in all() {
        let name = b"tradeagent_sdk";
        assert!(shipped.bytes.windows(name.len()).any(|window| window == name), "{}", shipped.name);
    }
}
