//! A websocket over a real connection.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::transport::{BoxFuture, FeedFrame, FeedSocket, TransportError};

/// The longest frame that is read, in bytes.
const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// The longest that a frame of ours may wait for room.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

#[expect(clippy::disallowed_methods, reason = "the deadline of a real socket")]
pub(super) async fn connect(url: String, patience: Duration) -> Result<Box<dyn FeedSocket>, TransportError> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX))
        .max_write_buffer_size(FRAME_BYTES_MAX);
    let opening = connect_async_with_config(url, Some(config), true);
    match tokio::time::timeout(patience, opening).await {
        Ok(Ok((stream, _))) => Ok(Box::new(Socket(stream))),
        Ok(Err(error)) => Err(TransportError::NotSent(error.to_string())),
        Err(_) => Err(TransportError::NotSent(format!("not connected within {patience:?}"))),
    }
}

impl Socket {
    #[expect(clippy::disallowed_methods, reason = "the deadline of a real socket")]
    async fn send(&mut self, message: Message) -> Result<(), TransportError> {
        match tokio::time::timeout(SEND_TIMEOUT, self.0.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(TransportError::NoAnswer(error.to_string())),
            Err(_) => Err(TransportError::NoAnswer(format!("not sent within {SEND_TIMEOUT:?}"))),
        }
    }

    /// The next frame that is shown: pings are answered by tungstenite, binary frames mean nothing here.
    async fn shown(&mut self) -> FeedFrame {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return FeedFrame::Text(text.to_string()),
                Some(Ok(Message::Pong(_))) => return FeedFrame::Pong,
                Some(Ok(Message::Close(frame))) => {
                    let why = frame.map(|frame| frame.to_string());
                    return FeedFrame::Closed(why.unwrap_or_else(|| "without a reason".to_owned()));
                }
                Some(Ok(Message::Ping(_) | Message::Binary(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return FeedFrame::Closed(error.to_string()),
                None => return FeedFrame::Closed("the connection ended".to_owned()),
            }
        }
    }
}

impl FeedSocket for Socket {
    fn send_text(&mut self, text: SecretString) -> BoxFuture<'_, Result<(), TransportError>> {
        Box::pin(async move { self.send(Message::text(text.expose_secret())).await })
    }

    fn ping(&mut self) -> BoxFuture<'_, Result<(), TransportError>> {
        Box::pin(self.send(Message::Ping(Default::default())))
    }

    #[expect(clippy::disallowed_methods, reason = "the deadline of a real socket")]
    fn next(&mut self, patience: Duration) -> BoxFuture<'_, FeedFrame> {
        Box::pin(
            async move { tokio::time::timeout(patience, self.shown()).await.unwrap_or(FeedFrame::Quiet) },
        )
    }
}
