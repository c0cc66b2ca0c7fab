//! `tradeagent-helper`: looks for other programs on the account and stops them, for a host that may not.
//!
//! Root, without network and without secrets. It listens on one socket and answers root and the host's unit.

use std::process::ExitCode;

const HELP: &str = "\
Looks for programs that log in to the broker account beside tradeagent, and stops them, for a host that is
hardened and may do neither. Started by systemd as tradeagent-helper.service.

Usage: tradeagent-helper [--config FILE.toml] [--unit NAME]... [--script NAME]...

  --config FILE    look for [conflicts] units and scripts of this configuration too; it must be root's
  --unit NAME      one more unit to look for, such as my-bot.service
  --script NAME    one more Python script, such as my_bot.py
";

#[cfg(target_os = "linux")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(answered) = conflicts::user_manager(&arguments).await {
        return ended(answered);
    }
    let (mut units, mut scripts) = (Vec::new(), Vec::new());
    let mut words = arguments.into_iter().skip(1);
    while let Some(word) = words.next() {
        match (word.as_str(), words.next()) {
            ("--unit", Some(name)) => units.push(name),
            ("--script", Some(name)) => scripts.push(name),
            ("--config", Some(path)) => match configured(std::path::Path::new(&path)) {
                Ok(more) => {
                    units.extend(more.units);
                    scripts.extend(more.scripts);
                }
                Err(error) => return ended(Err(error)),
            },
            ("--help" | "-h", _) => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            ("--version" | "-V", _) => {
                println!("tradeagent-helper {}", env!("CARGO_PKG_VERSION"));
                return ExitCode::SUCCESS;
            }
            _ => {
                eprintln!("error: `{word}` is not understood\n\n{HELP}");
                return ExitCode::from(2);
            }
        }
    }
    ended(listen(&units, &scripts).await)
}

/// What the configuration adds to the known names.
#[cfg(target_os = "linux")]
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct More {
    units: Vec<String>,
    scripts: Vec<String>,
}

#[cfg(target_os = "linux")]
fn configured(path: &std::path::Path) -> Result<More, String> {
    use std::io::Read as _;
    use std::os::unix::fs::MetadataExt as _;
    const BYTES_MAX: u64 = 1 << 20;
    #[derive(serde::Deserialize)]
    struct File {
        #[serde(default)]
        conflicts: More,
    }
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(More::default()),
        opened => opened.map_err(|error| failed(&error))?,
    };
    // Who writes it has programs stopped.
    let meta = file.metadata().map_err(|error| failed(&error))?;
    if meta.uid() != 0 || meta.mode() & 0o022 != 0 {
        return Err(failed(&"it must be root's, and nobody else's to write (chown root, chmod go-w)"));
    }
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text).map_err(|error| failed(&error))?;
    toml::from_str::<File>(&text).map(|file| file.conflicts).map_err(|error| failed(&error))
}

#[cfg(target_os = "linux")]
fn ended(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
async fn listen(units: &[String], scripts: &[String]) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use conflicts::helper::{Helper, SOCKET, root_or_host, serve};
    use conflicts::{Machine, Names, RetiredNotes};

    let socket = Path::new(SOCKET);
    let failed = |error: std::io::Error| format!("{SOCKET}: {error}");
    if let Some(folder) = socket.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = tokio::net::UnixListener::bind(socket).map_err(failed)?;
    // Whoever may connect is asked who it is.
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o666)).map_err(failed)?;
    let machine = Machine::real(Names::default().and(units, scripts));
    let notes = RetiredNotes::of_this_machine();
    sd_notify::notify(&[sd_notify::NotifyState::Ready]).map_err(failed)?;
    serve(listener, Helper { machine, notes, is_allowed: root_or_host }).await;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("error: the helper is for Linux; on Windows the service itself looks and stops\n\n{HELP}");
    ExitCode::from(69)
}
