//! Compiles the guests with a cargo of their own and turns each module into a component.
//!
//! The nested cargo has its own target folder beside the outer profiles: the outer cargo holds the lock of
//! its own, and debug and release builds of the host share the guests. It sees none of the outer flags: they
//! are meant for the host's processor.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// The packages to compile; also the name of the module, with `-` as `_`.
const GUESTS: [&str; 5] = ["sell", "buy", "monitor", "eod", "ema-cross"];

/// What the guests are made of, from `plugins/`.
const SOURCES: [&str; 9] =
    ["Cargo.toml", "Cargo.lock", "sdk", "sell", "buy", "monitor", "eod", "examples", "../wit"];

/// Set by the outer cargo or its caller for the host's build, and wrong for the guests'.
const OUTER: [&str; 12] = [
    "RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_MAKEFLAGS",
    "MAKEFLAGS",
];

fn main() -> Result<()> {
    let plugins = variable("CARGO_MANIFEST_DIR")?;
    let plugins = Path::new(&plugins).parent().context("the bundle has no parent folder")?.to_owned();
    let out = PathBuf::from(variable("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", plugins.join(source).display());
    }

    have_target()?;
    let target = target_folder(&out)?;
    compile(&plugins, &target)?;
    for guest in GUESTS {
        let name = guest.replace('-', "_");
        let module = target.join(TARGET).join("release").join(format!("{name}.wasm"));
        let component = encode(&module).with_context(|| format!("encoding {guest} as a component"))?;
        let file = out.join(format!("{name}.wasm"));
        fs::write(&file, component).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

fn variable(name: &str) -> Result<OsString> {
    env::var_os(name).with_context(|| format!("cargo did not set {name}"))
}

/// `<target>/guests`, from `<target>[/<triple>]/<profile>/build/<package>/out`.
fn target_folder(out: &Path) -> Result<PathBuf> {
    let build = out.ancestors().find(|path| path.file_name().is_some_and(|name| name == "build"));
    let profile = build.and_then(Path::parent).context("OUT_DIR is not below a folder named build")?;
    Ok(profile.parent().context("OUT_DIR is not below a target folder")?.join("guests"))
}

/// Makes sure that the target's standard library is there. Some machines switch rustup's automatic install
/// off, and then `rust-toolchain.toml` alone does not bring it.
fn have_target() -> Result<()> {
    let rustc = variable("RUSTC")?;
    let answer =
        Command::new(&rustc).args(["--print", "sysroot"]).output().context("asking rustc for its sysroot")?;
    ensure!(answer.status.success(), "rustc --print sysroot failed");
    let sysroot = PathBuf::from(String::from_utf8(answer.stdout)?.trim());
    let library = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    if library.is_dir() {
        return Ok(());
    }

    let toolchain = sysroot.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let by_rustup = sysroot.parent().and_then(Path::file_name).is_some_and(|name| name == "toolchains");
    if by_rustup {
        let added =
            Command::new("rustup").args(["target", "add", TARGET, "--toolchain", &toolchain]).status();
        if added.is_ok_and(|status| status.success()) && library.is_dir() {
            return Ok(());
        }
        bail!(
            "the strategies are compiled for {TARGET}, which this toolchain does not have, and rustup could \
             not add it. Type:\n\n    rustup target add {TARGET} --toolchain {toolchain}\n\nand build again"
        );
    }
    bail!(
        "the strategies are compiled for {TARGET}, and there is no {}. Install that target's standard \
         library for this Rust (Debian: `apt install libstd-rust-dev-wasm32`), or use rustup:\n\n    \
         rustup target add {TARGET}\n\nand build again",
        library.display()
    );
}

fn compile(plugins: &Path, target: &Path) -> Result<()> {
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .current_dir(plugins)
        .args(["build", "--release", "--locked", "--target", TARGET, "--target-dir"])
        .arg(target);
    for guest in GUESTS {
        cargo.args(["-p", guest]);
    }
    for name in OUTER {
        cargo.env_remove(name);
    }
    let profile = |name: &OsString| name.to_string_lossy().starts_with("CARGO_PROFILE_");
    for (name, _) in env::vars_os().filter(|(name, _)| profile(name)) {
        cargo.env_remove(name);
    }
    let built = cargo.output().context("starting cargo for the strategies")?;
    if !built.status.success() {
        bail!("the strategies in plugins/ do not compile:\n{}", String::from_utf8_lossy(&built.stderr));
    }
    Ok(())
}

fn encode(module: &Path) -> Result<Vec<u8>> {
    let module = fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}
