//! The broker's credentials: from an env file that nobody else can read, or from the service manager.
//!
//! The names are those of the service that this one replaces, so its `kotak_neo.env` works once the UCC is
//! added. Looked for in this order: `env_file` of the configuration; `$CREDENTIALS_DIRECTORY` (systemd's
//! `LoadCredential=`: a file `kotak_neo.env`, or one file for each name); `kotak_neo.env` beside the
//! configuration. Never from environment variables: those show in `/proc` and in crash reports.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

/// Permission bits that an operator's file may not have.
const OTHERS: u32 = 0o077;
/// The same for the service manager's folder: an access list for the service's user shows in the group's
/// bits there (systemd.exec(5), `LoadCredential=`).
const OTHERS_BESIDE_GROUP: u32 = 0o007;
/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// The file's usual name.
const FILE_NAME: &str = "kotak_neo.env";

const CONSUMER_KEY: &str = "KOTAK_CONSUMER_KEY";
const MOBILE_NUMBER: &str = "KOTAK_MOBILE_NUMBER";
const UCC: &str = "KOTAK_UCC";
const TOTP_SECRET: &str = "KOTAK_TOTP_SECRET";
const MPIN: &str = "KOTAK_MPIN";

/// Every name, with where the operator finds its value.
const NAMES: [(&str, &str); 5] = [
    (CONSUMER_KEY, "the access token of Neo app > More > Trade API"),
    (MOBILE_NUMBER, "the registered number with +91"),
    (UCC, "the client code: Neo app > Profile > Account details"),
    (TOTP_SECRET, "the secret shown when TOTP was registered"),
    (MPIN, "the six digits of the app"),
];

/// What a login needs.
#[derive(Debug)]
pub struct Credentials {
    /// For the client.
    pub login: kotak_neo::credentials::Credentials,
    /// The base32 secret of the authenticator.
    pub totp_secret: SecretString,
}

impl Credentials {
    /// Those of a simulated account.
    pub fn of_simulator(known: &kotak_neo_sim::Credentials) -> Self {
        let secret = |text: &str| SecretString::from(text);
        Self {
            login: kotak_neo::credentials::Credentials {
                consumer_key: secret(&known.consumer_key),
                mobile_number: secret(&known.mobile),
                ucc: secret(&known.ucc),
                mpin: secret(&known.mpin),
            },
            totp_secret: secret(&known.totp_secret),
        }
    }

    /// Tells these from others, and tells nothing else: they cannot be found by trying, since the secret of
    /// the authenticator is in it.
    pub fn digest(&self) -> String {
        let login = &self.login;
        let mut hasher = blake3::Hasher::new_derive_key("tradeagent 2026 which credentials were refused");
        for secret in [&login.consumer_key, &login.mobile_number, &login.ucc, &login.mpin, &self.totp_secret]
        {
            let text = secret.expose_secret();
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// No place has any.
    #[error("there are no credentials for Kotak Neo: {} does not exist", .expected.display())]
    Nowhere {
        /// The last place that was looked at.
        expected: PathBuf,
    },
    /// The file cannot be read.
    #[error("the credentials in {} cannot be read: {reason}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is a folder.
    #[error("{} is a folder, not a file with credentials", .path.display())]
    Folder {
        /// Which.
        path: PathBuf,
    },
    /// Others can read it.
    #[error("{} holds credentials and others can read it (mode {mode:04o})", .path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Names without a value, all of them.
    #[error("{} is missing {}", .path.display(), .missing.join(", "))]
    Missing {
        /// Where they belong.
        path: PathBuf,
        /// Which.
        missing: Vec<&'static str>,
    },
    /// Values that cannot be right. They are not repeated.
    #[error("{}: {}", .path.display(), .what.join("; "))]
    Malformed {
        /// Where they are.
        path: PathBuf,
        /// What is wrong with which.
        what: Vec<String>,
    },
}

impl CredentialsError {
    /// What to type.
    pub fn hint(&self) -> String {
        match self {
            Self::Nowhere { expected } => format!(
                "write the five names into {}, then `chmod 600 {}`:\n{}",
                expected.display(),
                expected.display(),
                wanted(&NAMES.map(|(name, _)| name))
            ),
            Self::Unreadable { path, .. } => {
                format!("`ls -l {}` shows who may read it; the host's user has to", path.display())
            }
            Self::Folder { path } => {
                format!("name the file in it: env_file = \"{}\"", path.join(FILE_NAME).display())
            }
            Self::Open { path, .. } => format!("chmod 600 {}", path.display()),
            Self::Missing { missing, .. } => format!("add\n{}", wanted(missing)),
            Self::Malformed { .. } => "correct the values, then try again".to_owned(),
        }
    }
}

fn wanted(missing: &[&'static str]) -> String {
    let line = |(name, whence): &(&str, &str)| format!("  {name}=…   # {whence}");
    let lines: Vec<String> = NAMES.iter().filter(|(name, _)| missing.contains(name)).map(line).collect();
    lines.join("\n")
}

/// Where credentials may be.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// `env_file` of the configuration.
    pub env_file: Option<PathBuf>,
    /// The service manager's folder.
    pub directory: Option<PathBuf>,
    /// The configuration's folder, or the working one.
    pub beside: PathBuf,
}

impl Places {
    /// As this process finds them.
    pub fn of_this_process(env_file: Option<&Path>, config: Option<&Path>) -> Self {
        let beside = config.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
        Self {
            env_file: env_file.map(Path::to_owned),
            directory: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            beside: beside.unwrap_or_else(|| Path::new(".")).to_owned(),
        }
    }
}

/// Reads the credentials.
///
/// # Errors
/// See [`CredentialsError`]; nothing in it repeats a value.
pub fn read(places: &Places) -> Result<Credentials, CredentialsError> {
    if let Some(path) = &places.env_file {
        return from_file(path, OTHERS);
    }
    if let Some(folder) = &places.directory {
        let file = folder.join(FILE_NAME);
        if file.exists() {
            return from_file(&file, OTHERS_BESIDE_GROUP);
        }
        if NAMES.iter().any(|(name, _)| folder.join(name).exists()) {
            return from_folder(folder);
        }
    }
    let path = places.beside.join(FILE_NAME);
    if !path.exists() {
        return Err(CredentialsError::Nowhere { expected: path });
    }
    from_file(&path, OTHERS)
}

/// Values by name, in no order.
type Values = Vec<(String, SecretString)>;

fn from_file(path: &Path, others: u32) -> Result<Credentials, CredentialsError> {
    let text = read_private(path, others)?;
    let mut values = Values::new();
    for item in dotenvy::from_read_iter(text.expose_secret().as_bytes()) {
        // The library's message repeats the line, which may hold a secret.
        let (name, value) = item.map_err(|error| CredentialsError::Unreadable {
            path: path.to_owned(),
            reason: match error {
                dotenvy::Error::LineParse(_, at) => {
                    format!("a line is not NAME=value (near its character {at})")
                }
                _ => "it is not an env file".to_owned(),
            },
        })?;
        values.push((name, SecretString::from(value)));
    }
    build(path, values)
}

fn from_folder(folder: &Path) -> Result<Credentials, CredentialsError> {
    let mut values = Values::new();
    for (name, _) in NAMES {
        let path = folder.join(name);
        if path.exists() {
            let text = read_private(&path, OTHERS_BESIDE_GROUP)?;
            values.push((
                name.to_owned(),
                SecretString::from(text.expose_secret().trim_end_matches(['\n', '\r'])),
            ));
        }
    }
    build(folder, values)
}

fn read_private(path: &Path, others: u32) -> Result<SecretString, CredentialsError> {
    let unreadable = |error: std::io::Error| CredentialsError::Unreadable {
        path: path.to_owned(),
        reason: if error.kind() == std::io::ErrorKind::InvalidData {
            "it is not text".to_owned()
        } else {
            error.to_string()
        },
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(CredentialsError::Folder { path: path.to_owned() });
    }
    // Asked of the open file, so that it cannot be another one by then.
    #[cfg(not(unix))]
    let _ = others;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
        if mode & others != 0 {
            return Err(CredentialsError::Open { path: path.to_owned(), mode });
        }
    }
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    let text = SecretString::from(text);
    if read.map_err(unreadable)? as u64 > FILE_BYTES_MAX {
        return Err(CredentialsError::Unreadable {
            path: path.to_owned(),
            reason: format!("it is longer than {FILE_BYTES_MAX} bytes"),
        });
    }
    Ok(text)
}

fn build(path: &Path, values: Values) -> Result<Credentials, CredentialsError> {
    let find = |name: &str| {
        // As in a shell, the last one holds.
        let found = values.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        found
            .map(|value| SecretString::from(value.expose_secret().trim()))
            .filter(|value| !value.expose_secret().is_empty())
    };
    let missing: Vec<&'static str> =
        NAMES.iter().map(|(name, _)| *name).filter(|name| find(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(CredentialsError::Missing { path: path.to_owned(), missing });
    }
    let take = |name: &str| find(name).unwrap_or_default();
    let credentials = Credentials {
        login: kotak_neo::credentials::Credentials {
            consumer_key: take(CONSUMER_KEY),
            mobile_number: with_country(&take(MOBILE_NUMBER)),
            ucc: take(UCC),
            mpin: take(MPIN),
        },
        totp_secret: take(TOTP_SECRET),
    };
    let what = malformed(&credentials);
    if what.is_empty() {
        Ok(credentials)
    } else {
        Err(CredentialsError::Malformed { path: path.to_owned(), what })
    }
}

/// The wire wants the country code; the legacy file often has the ten digits alone.
fn with_country(number: &SecretString) -> SecretString {
    let digits: String = number.expose_secret().chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    match digits.len() {
        10 if digits.bytes().all(|byte| byte.is_ascii_digit()) => SecretString::from(format!("+91{digits}")),
        12 if digits.starts_with("91") => SecretString::from(format!("+{digits}")),
        _ => SecretString::from(digits),
    }
}

fn malformed(credentials: &Credentials) -> Vec<String> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut what = Vec::new();
    let login = &credentials.login;
    let mpin = login.mpin.expose_secret();
    if mpin.len() != 6 || !digits(mpin) {
        what.push(format!("{MPIN} is not six digits"));
    }
    let mobile = login.mobile_number.expose_secret();
    if !mobile.strip_prefix('+').is_some_and(|rest| digits(rest) && (8..=15).contains(&rest.len())) {
        what.push(format!("{MOBILE_NUMBER} is not a telephone number with its country code, such as +91…"));
    }
    if broker::session::Totp::from_base32(&credentials.totp_secret).is_err() {
        what.push(format!("{TOTP_SECRET} is not base32 (letters A to Z and digits 2 to 7)"));
    }
    what
}

#[cfg(all(test, unix))]
mod tests;
