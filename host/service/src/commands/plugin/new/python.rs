//! A project in Python, which componentize-py makes a component of.

use runtime::Role;

use super::{WIT, configuration, parameters};

macro_rules! python {
    ($($path:literal),*) => {
        [$(include_str!(concat!("../../../../../../plugins/", $path))),*]
    };
}

/// The version that the projects are tried with.
const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";

/// What every world's strategy needs besides the contract.
const STRATEGY: &str = python!("examples/lowest-close-python/strategy.py")[0];

/// `app.py` and `logic.py` of a world.
const fn sources(world: Role) -> [&'static str; 2] {
    match world {
        Role::Monitor => python!("templates/python/monitor/app.py", "templates/python/monitor/logic.py"),
        Role::Eod => python!("templates/python/eod/app.py", "templates/python/eod/logic.py"),
        Role::Sell => python!("templates/python/sell/app.py", "templates/python/sell/logic.py"),
        Role::Buy => {
            python!("examples/lowest-close-python/app.py", "examples/lowest-close-python/logic.py")
        }
        Role::Trader => python!("templates/python/trader/app.py", "templates/python/trader/logic.py"),
    }
}

/// The component that the project's README has built.
pub(super) fn component(name: &str) -> String {
    format!("{}.wasm", name.replace('-', "_"))
}

/// Every file of the project, by path.
pub(super) fn project(name: &str, world: Role) -> Vec<(String, String)> {
    let [app, logic] = sources(world);
    let wasm = component(name);
    let mut files = vec![
        (".gitignore".to_owned(), "/.venv\n/state\n/bindings\n__pycache__/\n*.wasm\n".to_owned()),
        ("README.md".to_owned(), readme(name, world)),
        ("requirements.txt".to_owned(), format!("{COMPONENTIZE_PY}\n")),
        ("app.py".to_owned(), app.to_owned()),
        ("logic.py".to_owned(), logic.to_owned()),
        ("strategy.py".to_owned(), STRATEGY.to_owned()),
        ("tradeagent.toml".to_owned(), configuration(name, world, &wasm)),
    ];
    files.extend(WIT.iter().map(|(name, text)| (format!("wit/{name}"), (*text).to_owned())));
    files
}

/// What to type next.
pub(super) fn steps(name: &str, world: Role) -> [String; 5] {
    let wasm = component(name);
    [
        "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt".to_owned(),
        "python3 -m doctest logic.py".to_owned(),
        format!(".venv/bin/componentize-py -d wit -w {world} componentize app -o {wasm}"),
        format!("tradeagent plugin check {wasm} --world {world} --config tradeagent.toml"),
        "tradeagent run --config tradeagent.toml     # on paper".to_owned(),
    ]
}

fn readme(name: &str, world: Role) -> String {
    let steps = steps(name, world);
    let build = &steps[2];
    format!(
        "# {name}\n\n{}\n```sh\n{}\n```\n\n\
         `app.py` is the component's task, `logic.py` its decisions, whose examples `doctest` tries without a host, and \
         `strategy.py` what both need. `.venv/bin/componentize-py -d wit -w {world} bindings bindings` writes the \
         contract as Python modules, for an editor. `wit/` is the contract of the tradeagent that made this project.\n\n\
         A component carries its Python along (about 19 MB), sees the host's clock and nothing else of the machine: no \
         files, network or environment. To compile it takes seconds; `check --config` does that and keeps the result in the \
         state folder of the configuration, where `run` and `simulate` find it. \
         `tradeagent plugin dev . --build '{build}'` \
         builds at each save. Packages must be pure Python: `pip install --target . NAME` and import it at the top of `app.py`.\n",
        parameters(world),
        steps.join("\n")
    )
}
