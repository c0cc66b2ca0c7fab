//! The host's side of the helper's socket.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::{Answer, Ask};

/// Where the helper listens.
pub const SOCKET: &str = "/run/tradeagent-helper/helper.sock";
/// The longest that a look may take, and the stopping of everything.
const LOOK_WITHIN: Duration = Duration::from_secs(20);
const RESOLVE_WITHIN: Duration = Duration::from_secs(600);
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// Whether a helper is installed here.
pub fn is_there(socket: &Path) -> bool {
    socket.exists()
}

/// Asks the helper.
///
/// # Errors
/// In a sentence, when it does not answer.
#[expect(clippy::disallowed_methods, reason = "waits for another program on a real machine")]
pub async fn ask(socket: &Path, question: Ask) -> Result<Answer, String> {
    let within = if question == Ask::Look { LOOK_WITHIN } else { RESOLVE_WITHIN };
    let failed = |error: &dyn std::fmt::Display| format!("the helper at {}: {error}", socket.display());
    let asked = async {
        let mut stream = UnixStream::connect(socket).await.map_err(|error| failed(&error))?;
        let mut line = serde_json::to_string(&question).map_err(|error| failed(&error))?;
        line.push('\n');
        stream.write_all(line.as_bytes()).await.map_err(|error| failed(&error))?;
        let mut answer = String::new();
        let mut reader = BufReader::new(stream.take(ANSWER_BYTES_MAX));
        reader.read_line(&mut answer).await.map_err(|error| failed(&error))?;
        serde_json::from_str(&answer).map_err(|error| failed(&error))
    };
    tokio::time::timeout(within, asked)
        .await
        .unwrap_or_else(|_| Err(failed(&format!("no answer within {} s", within.as_secs()))))
}
