//! Who vouches for a component: an Ed25519 signature over what it is and what it asks for, in a file beside it.
//!
//! Against a real broker a component from a file trades only when a key that the operator trusts has signed it,
//! or when the operator has promoted exactly its bytes. What comes with the program needs neither.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use model::{ContentHash, Money, Symbol, Timestamp};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use runtime::Role;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::config::GrantsConfig;
use crate::whole_file;

/// How texts of ours are written: without padding, in capitals.
const TEXT: base32::Alphabet = base32::Alphabet::Rfc4648 { padding: false };
/// What a key's text begins with.
const PUBLIC: &str = "ta-public-1-";
const SECRET: &str = "ta-secret-1-";
/// What is signed begins with this: a signature for anything else is none here.
const CONTEXT: &[u8] = b"tradeagent component signature 1\n";
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Why there is no signature, or none that counts.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// A file cannot be read or written.
    #[error("{} {what}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What cannot be done with it.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// It is no key.
    #[error("{0} is no key of tradeagent: `tradeagent plugin keygen` makes one")]
    NoKey(String),
    /// It is no signature.
    #[error("{} is no signature: {why}", path.display())]
    NoSignature {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It is no list of promoted components.
    #[error("{} is no list of promoted components ({why}): move it away, and promote again what is to trade", path.display())]
    NoList {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It is of other bytes.
    #[error("the signature is of another component ({signed}): sign this one, or use that one")]
    OtherComponent {
        /// What was signed.
        signed: ContentHash,
    },
    /// It does not match its key.
    #[error(
        "the signature does not match its key: the file was changed after it was signed; sign the component again, or get both files anew from its author"
    )]
    Broken,
}

/// What is vouched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The component's bytes.
    pub hash: ContentHash,
    /// Its world.
    pub world: Role,
    /// The contract version that it was built for.
    pub contract: Option<String>,
    /// What it asks for at most.
    pub grants: Asked,
}

/// Requested grants; none: no limit of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    /// The only symbols it trades.
    pub symbols: Option<BTreeSet<Symbol>>,
    /// The largest value of one order.
    pub max_order_value: Option<Money>,
    /// Orders a day.
    pub max_orders_per_day: Option<u32>,
}

impl Asked {
    /// Whether a configuration grants no more than was asked for; else what it grants too much.
    pub fn covers(&self, granted: &GrantsConfig) -> Result<(), String> {
        if let Some(asked) = &self.symbols
            && granted.symbols.as_ref().is_none_or(|symbols| !symbols.is_subset(asked))
        {
            let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
            return Err(format!("symbols: the author asks for {} and no others", asked.join(", ")));
        }
        if let Some(asked) = self.max_order_value
            && granted.max_order_value.is_none_or(|value| value > asked)
        {
            return Err(format!("max_order_value: the author asks for at most {asked}"));
        }
        if let Some(asked) = self.max_orders_per_day
            && granted.max_orders_per_day.is_none_or(|orders| orders > asked)
        {
            return Err(format!("max_orders_per_day: the author asks for at most {asked}"));
        }
        Ok(())
    }
}

/// A key that the operator may trust, as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

impl TryFrom<String> for PublicKey {
    type Error = SigningError;
    fn try_from(text: String) -> Result<Self, SigningError> {
        let bytes = text.strip_prefix(PUBLIC).and_then(|rest| base32::decode(TEXT, rest));
        match bytes.map(<[u8; 32]>::try_from) {
            Some(Ok(bytes)) => Ok(Self(bytes)),
            _ => Err(SigningError::NoKey(format!("`{text}`"))),
        }
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{PUBLIC}{}", base32::encode(TEXT, &self.0))
    }
}

/// An author's key.
pub struct AuthorKey(Ed25519KeyPair);

impl AuthorKey {
    /// Makes one and keeps it in `path`, for this user only.
    ///
    /// # Errors
    /// When the file is there already, or cannot be written.
    pub fn make(path: &Path) -> Result<Self, SigningError> {
        let file = |source| SigningError::File { path: path.to_owned(), what: "cannot be written", source };
        let made = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new());
        let made = made.map_err(|_| file(std::io::Error::other("the system gives no random numbers")))?;
        let text = SecretString::from(format!("{SECRET}{}\n", base32::encode(TEXT, made.as_ref())));
        whole_file::create(path, text.expose_secret().as_bytes()).map_err(|error| {
            file(match error.kind() {
                std::io::ErrorKind::AlreadyExists => std::io::Error::other("it is there already: name another, or move it away; without it no later version can be signed by it"),
                _ => error,
            })
        })?;
        Self::read(path)
    }

    /// The key in `path`.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, SigningError> {
        #[cfg(unix)]
        is_own(path).map_err(|source| SigningError::File {
            path: path.to_owned(),
            what: "is not used",
            source,
        })?;
        let text = SecretString::from(read(path)?);
        text.expose_secret()
            .trim()
            .strip_prefix(SECRET)
            .and_then(|rest| base32::decode(TEXT, rest))
            .and_then(|bytes| Ed25519KeyPair::from_pkcs8(&bytes).ok())
            .map(Self)
            .ok_or_else(|| SigningError::NoKey(path.display().to_string()))
    }

    /// What the operator is to trust.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }

    /// Signs.
    pub fn sign(&self, statement: Statement) -> Signed {
        let signature = base32::encode(TEXT, self.0.sign(&message(&statement)).as_ref());
        Signed { statement, key: self.public(), signature }
    }
}

fn message(statement: &Statement) -> Vec<u8> {
    // Fields in the order of the type, sets in their order: one form for one meaning.
    let body = serde_json::to_vec(statement).expect("texts and numbers have a form");
    [CONTEXT, &body].concat()
}

/// Who else reads a key can sign with it.
#[cfg(unix)]
fn is_own(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = whole_file::open(path)?.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        let why = format!("others may read it (mode {:o}): `chmod 600 {}`", mode & 0o777, path.display());
        return Err(std::io::Error::other(why));
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, SigningError> {
    use std::io::Read as _;
    let file = |source| SigningError::File { path: path.to_owned(), what: "cannot be read", source };
    let mut text = String::new();
    let opened = whole_file::open(path).map_err(file)?;
    opened.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(file)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(file(std::io::Error::other(format!("it is longer than {FILE_BYTES_MAX} bytes"))));
    }
    Ok(text)
}

/// A signature file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// What is vouched for.
    pub statement: Statement,
    /// By whom.
    pub key: PublicKey,
    /// The proof.
    pub signature: String,
}

impl Signed {
    /// Where the signature of a component is: `x.wasm.sig` beside `x.wasm`.
    pub fn beside(component: &Path) -> PathBuf {
        let mut path = component.as_os_str().to_owned();
        path.push(".sig");
        PathBuf::from(path)
    }

    /// Keeps it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), SigningError> {
        let text = serde_json::to_vec_pretty(self).expect("texts and numbers have a form");
        let written = whole_file::replace(path, &text);
        // Nothing in it is secret, and the host that reads it is another user.
        #[cfg(unix)]
        let written = written.and_then(|()| {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
        });
        written.map_err(|source| SigningError::File {
            path: path.to_owned(),
            what: "cannot be written",
            source,
        })
    }

    /// The signature in `path`, which must be a right one of the component `hash`. Whether its key is trusted is
    /// the caller's to know.
    ///
    /// # Errors
    /// When there is none, or it does not count.
    pub fn of(path: &Path, hash: &ContentHash) -> Result<Self, SigningError> {
        let none = |why: String| SigningError::NoSignature { path: path.to_owned(), why };
        let signed: Self = serde_json::from_str(&read(path)?).map_err(|error| none(error.to_string()))?;
        let proof = base32::decode(TEXT, &signed.signature)
            .ok_or_else(|| none("its signature is no base32 text".to_owned()))?;
        UnparsedPublicKey::new(&ED25519, signed.key.0)
            .verify(&message(&signed.statement), &proof)
            .map_err(|_| SigningError::Broken)?;
        if signed.statement.hash != *hash {
            return Err(SigningError::OtherComponent { signed: signed.statement.hash });
        }
        Ok(signed)
    }
}

/// Components that the operator has promoted, by their bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Promoted {
    /// What, when, by whom.
    pub components: Vec<(ContentHash, Timestamp, String)>,
}

impl Promoted {
    /// The file, in the state folder.
    pub fn path(state_dir: &Path) -> PathBuf {
        state_dir.join("promoted.json")
    }

    /// Those of `state_dir`.
    ///
    /// # Errors
    /// When the file cannot be read: then nothing is promoted.
    pub fn load(state_dir: &Path) -> Result<Self, SigningError> {
        let path = Self::path(state_dir);
        if !path.exists() {
            return Ok(Self::default());
        }
        serde_json::from_str(&read(&path)?)
            .map_err(|error| SigningError::NoList { path, why: error.to_string() })
    }

    /// Whether it is one.
    pub fn holds(&self, hash: &ContentHash) -> bool {
        self.components.iter().any(|(known, _, _)| known == hash)
    }

    /// Adds one.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn add(
        mut self,
        state_dir: &Path,
        hash: ContentHash,
        at: Timestamp,
        by: String,
    ) -> Result<(), SigningError> {
        if self.holds(&hash) {
            return Ok(());
        }
        self.components.push((hash, at, by));
        let path = Self::path(state_dir);
        let text = serde_json::to_vec_pretty(&self).expect("texts and numbers have a form");
        whole_file::replace(&path, &text).map_err(|source| SigningError::File {
            path,
            what: "cannot be written",
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(hash: &str) -> Statement {
        Statement {
            hash: ContentHash::from(hash),
            world: Role::Sell,
            contract: Some("0.1.0".to_owned()),
            grants: Asked { max_orders_per_day: Some(5), ..Asked::default() },
        }
    }

    #[test]
    fn a_signature_holds_for_its_bytes_and_its_words_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = AuthorKey::make(&folder.path().join("author.key")).expect("a key");
        let path = folder.path().join("x.wasm.sig");
        let signed = key.sign(statement("aa"));
        signed.write(&path).expect("kept");
        assert_eq!(Signed::of(&path, &ContentHash::from("aa")).expect("right"), signed);
        assert!(matches!(
            Signed::of(&path, &ContentHash::from("bb")),
            Err(SigningError::OtherComponent { .. })
        ));
        // More asked for afterwards.
        let mut more = signed.clone();
        more.statement.grants.max_orders_per_day = Some(500);
        more.write(&path).expect("kept");
        assert!(matches!(Signed::of(&path, &ContentHash::from("aa")), Err(SigningError::Broken)));
        // Under another name.
        let other = AuthorKey::make(&folder.path().join("other.key")).expect("a key");
        let forged = Signed { key: other.public(), ..signed };
        forged.write(&path).expect("kept");
        assert!(matches!(Signed::of(&path, &ContentHash::from("aa")), Err(SigningError::Broken)));
    }

    #[test]
    fn a_key_is_kept_for_its_user_and_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("author.key");
        let made = AuthorKey::make(&path).expect("a key");
        assert_eq!(AuthorKey::read(&path).expect("the same").public(), made.public());
        assert!(AuthorKey::make(&path).is_err(), "it is there");
        let text = made.public().to_string();
        assert_eq!(PublicKey::try_from(text).expect("a key"), made.public());
        assert!(PublicKey::try_from("ta-public-1-AAAA".to_owned()).is_err());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{mode:o}");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("set");
            let why = AuthorKey::read(&path).err().expect("others may read it").to_string();
            assert!(why.contains("chmod 600"), "{why}");
        }
    }

    #[test]
    fn a_configuration_grants_at_most_what_was_asked_for() {
        let asked = Asked { max_orders_per_day: Some(5), ..Asked::default() };
        let granted = |orders| GrantsConfig { max_orders_per_day: orders, ..GrantsConfig::default() };
        assert!(asked.covers(&granted(Some(5))).is_ok());
        for too_much in [Some(6), None] {
            let why = asked.covers(&granted(too_much)).expect_err("more than asked for");
            assert_eq!(why, "max_orders_per_day: the author asks for at most 5");
        }
    }
}
