//! Who may come in: reads a component without running or compiling it, and refuses with one sentence.

use std::fmt;

use model::ContentHash;
use wasmparser::{Parser, Payload};

use crate::contract::{self, PACKAGE, TASK, VERSION, Version};
use crate::grants::Role;

/// What a file is that is not a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAComponent {
    /// No bytes at all.
    Empty,
    /// WebAssembly's older binary form.
    CoreModule,
    /// WebAssembly as text.
    WasmText,
    /// Some other text.
    Text,
    /// A component that ends too early.
    Truncated {
        /// How many bytes there are.
        bytes: usize,
    },
    /// A native program or compiled code.
    Native,
    /// A component whose bytes make no sense.
    Malformed(String),
    /// Something else.
    Unknown,
}

impl fmt::Display for NotAComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the file is empty"),
            Self::CoreModule => f.write_str(
                "it is a core module, not a component: build it with `cargo component build`, for wasm32-wasip2, or encode it with wit-component",
            ),
            Self::WasmText => f.write_str("it is WebAssembly text: encode it first, for example with `wasm-tools parse`"),
            Self::Text => f.write_str("it is a text file, not a compiled component"),
            Self::Truncated { bytes } => write!(f, "it is cut off after {bytes} bytes: copy or build it again"),
            Self::Native => f.write_str("it is a native program or library: build it for WebAssembly"),
            Self::Malformed(why) => write!(f, "its bytes are damaged ({why}): copy or build it again"),
            Self::Unknown => f.write_str("it is no WebAssembly"),
        }
    }
}

/// Why a component does not load; its text is one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a component at all.
    #[error("this is not a strategy component: {0}")]
    NotAComponent(NotAComponent),
    /// Nothing to run.
    #[error(
        "the component exports no task: export `{PACKAGE}/{TASK}@{VERSION}`, with the SDK by `export!`{}",
        exported(.exports)
    )]
    NoTask {
        /// What it exports instead.
        exports: Vec<String>,
    },
    /// An import that this host does not have.
    #[error(
        "the component imports `{import}`, which no world of {PACKAGE}@{VERSION} allows: a strategy reaches nothing but the contract; take it out, or the crate that brings it"
    )]
    UnknownImport {
        /// Its full name.
        import: String,
    },
    /// A function that a later version of the contract added.
    #[error(
        "the component calls `{interface}.{function}`, which {PACKAGE}@{VERSION} of this host does not have (the component was built for {built}): update the host, or build the component without it"
    )]
    UnknownFunction {
        /// In which interface.
        interface: String,
        /// Which.
        function: String,
        /// The version that the component was built for.
        built: String,
    },
    /// A capability that the role lacks.
    #[error(
        "the component imports `{interface}`, which the role {role} does not grant; {}: give it another role in the config, or take the import out",
        worlds(.allowed)
    )]
    NotGranted {
        /// The interface.
        interface: &'static str,
        /// The role in the config.
        role: Role,
        /// The roles that would allow it.
        allowed: &'static [Role],
    },
    /// Built against a contract that this host does not speak.
    #[error(
        "the component was built for {PACKAGE}@{built}, and this host speaks {VERSION}: build it again with the SDK of this host, or use a host that speaks {built}"
    )]
    OtherVersion {
        /// The version that it asks for.
        built: String,
    },
    /// The names are right and the types are not.
    #[error(
        "the component does not fit {PACKAGE}@{VERSION} although it says so ({why}): build it again with the SDK of this host"
    )]
    OtherShape {
        /// What differs.
        why: String,
    },
}

fn exported(exports: &[String]) -> String {
    if exports.is_empty() { String::new() } else { format!(" (it exports {})", exports.join(", ")) }
}

fn worlds(roles: &[Role]) -> String {
    let (last, others) = roles.split_last().expect("every interface has a role");
    if others.is_empty() {
        return format!("the role {last} does");
    }
    let others: Vec<&str> = others.iter().map(|role| role.as_str()).collect();
    format!("the roles {} and {last} do", others.join(", "))
}

/// The name of a component: blake3 of its bytes.
pub fn hash_of(bytes: &[u8]) -> ContentHash {
    ContentHash::from(blake3::hash(bytes).to_hex().as_str())
}

/// What a component says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Blake3 of its bytes.
    pub hash: ContentHash,
    /// Its size in bytes.
    pub bytes: usize,
    /// The contract version that it was built for; none when it names none.
    pub contract: Option<String>,
    /// What it imports, by full name, in its own order.
    pub imports: Vec<String>,
    /// What it exports, by full name.
    pub exports: Vec<String>,
    /// The roles in which it would load.
    pub roles: Vec<Role>,
}

/// Reads a component without compiling or running it.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, Refusal> {
    let (imports, exports) = read(bytes).map_err(Refusal::NotAComponent)?;
    let contract = exports
        .iter()
        .chain(&imports)
        .filter_map(|name| contract::ours(name)?.1)
        .max_by_key(|version| Version::parse(version))
        .map(str::to_owned);
    let mut inspection = Inspection {
        hash: hash_of(bytes),
        bytes: bytes.len(),
        contract,
        imports,
        exports,
        roles: Vec::new(),
    };
    inspection.roles = Role::ALL.iter().copied().filter(|role| inspection.check(*role).is_ok()).collect();
    Ok(inspection)
}

impl Inspection {
    /// Whether it may load in `role`.
    pub fn check(&self, role: Role) -> Result<(), Refusal> {
        for name in self.exports.iter().chain(&self.imports) {
            if let Some((_, version)) = contract::ours(name) {
                check_version(version)?;
            }
        }
        if self.task().is_none() {
            return Err(Refusal::NoTask { exports: self.exports.clone() });
        }
        for name in &self.imports {
            let known = match contract::ours(name) {
                Some((interface, _)) => contract::interface(interface),
                None if crate::link::is_wasi(name) => continue,
                None => None,
            };
            let Some(interface) = known else {
                return Err(Refusal::UnknownImport { import: name.clone() });
            };
            if !interface.roles.contains(&role) {
                return Err(Refusal::NotGranted {
                    interface: interface.name,
                    role,
                    allowed: interface.roles,
                });
            }
        }
        Ok(())
    }

    /// The full name of the task interface that it exports.
    pub fn task(&self) -> Option<&str> {
        self.exports
            .iter()
            .map(String::as_str)
            .find(|name| contract::ours(name).is_some_and(|(interface, _)| interface == TASK))
    }
}

fn check_version(version: Option<&str>) -> Result<(), Refusal> {
    match version.and_then(Version::parse) {
        Some(built) if built.fits(VERSION) => Ok(()),
        _ => Err(Refusal::OtherVersion { built: version.unwrap_or("no version").to_owned() }),
    }
}

/// Names of imports and exports of the outermost component.
fn read(bytes: &[u8]) -> Result<(Vec<String>, Vec<String>), NotAComponent> {
    classify(bytes)?;
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| damaged(bytes, &error))? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(|error| damaged(bytes, &error))?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(|error| damaged(bytes, &error))?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

fn classify(bytes: &[u8]) -> Result<(), NotAComponent> {
    const MAGIC: &[u8] = b"\0asm";
    const NATIVE: [&[u8]; 4] = [b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"];
    if bytes.is_empty() {
        return Err(NotAComponent::Empty);
    }
    if bytes.starts_with(MAGIC) {
        return match bytes.get(4..8) {
            Some([0x0d, 0, 1, 0]) => Ok(()),
            Some([1, 0, 0, 0]) => Err(NotAComponent::CoreModule),
            Some(other) => {
                Err(NotAComponent::Malformed(format!("an unknown WebAssembly version {other:02x?}")))
            }
            None => Err(NotAComponent::Truncated { bytes: bytes.len() }),
        };
    }
    if MAGIC.starts_with(bytes) {
        return Err(NotAComponent::Truncated { bytes: bytes.len() });
    }
    if NATIVE.iter().any(|magic| bytes.starts_with(magic)) {
        return Err(NotAComponent::Native);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if is_wasm_text(text) => Err(NotAComponent::WasmText),
        Ok(text) if !text.contains('\0') => Err(NotAComponent::Text),
        _ => Err(NotAComponent::Unknown),
    }
}

fn is_wasm_text(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(";;"));
    first.is_some_and(|line| line.starts_with("(component") || line.starts_with("(module"))
}

fn damaged(bytes: &[u8], error: &wasmparser::BinaryReaderError) -> NotAComponent {
    if error.message().contains("unexpected end") {
        NotAComponent::Truncated { bytes: bytes.len() }
    } else {
        NotAComponent::Malformed(error.message().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        inspect(bytes).expect_err("not a component").to_string()
    }

    #[test]
    fn what_is_not_a_component_is_told_what_it_is() {
        for (bytes, says) in [
            (&b""[..], "the file is empty"),
            (
                b"\0asm\x01\0\0\0",
                "it is a core module, not a component: build it with `cargo component build`, for wasm32-wasip2, or encode it with wit-component",
            ),
            (b"\0as", "it is cut off after 3 bytes: copy or build it again"),
            (b"\0asm\x0d\0", "it is cut off after 6 bytes: copy or build it again"),
            (
                b"\0asm\x0e\0\x01\0",
                "its bytes are damaged (an unknown WebAssembly version [0e, 00, 01, 00]): copy or build it again",
            ),
            (
                b";; hello\n(component)",
                "it is WebAssembly text: encode it first, for example with `wasm-tools parse`",
            ),
            (b"import pandas as pd\n", "it is a text file, not a compiled component"),
            (b"\x7fELF\x02\x01", "it is a native program or library: build it for WebAssembly"),
            (b"\x89PNG\0\xff", "it is no WebAssembly"),
        ] {
            assert_eq!(refused(bytes), format!("this is not a strategy component: {says}"));
        }
    }

    #[test]
    fn an_empty_component_exports_no_task() {
        let inspection = inspect(b"\0asm\x0d\0\x01\0").expect("a component");
        assert_eq!(inspection.roles, []);
        assert_eq!(
            inspection.check(Role::Trader).expect_err("nothing to run").to_string(),
            "the component exports no task: export `tradeagent:strategy/task@0.1.0`, with the SDK by `export!`"
        );
    }

    #[test]
    fn a_cut_anywhere_never_passes() {
        let text = r#"(component
            (import "tradeagent:strategy/log@0.1.0" (instance))
            (core module $m (func (export "f") (loop (br 0)))))"#;
        let bytes = wat::parse_str(text).expect("text");
        assert_eq!(inspect(&bytes).expect("whole").imports, ["tradeagent:strategy/log@0.1.0"]);
        for length in 0..bytes.len() {
            if let Ok(inspection) = inspect(&bytes[..length]) {
                assert!(inspection.check(Role::Trader).is_err(), "cut at {length}");
            }
        }
    }
}
