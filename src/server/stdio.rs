//! MCP over standard input and output: one JSON-RPC message a line.
//!
//! rmcp drops a line that is no JSON or too long without a word, so that its sender waits forever. This transport reads
//! lines itself, answers those two cases, and leaves everything else to rmcp.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{ErrorData, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::{AsyncRwTransport, JsonRpcMessageCodec};
use rmcp::{RoleServer, ServiceExt};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, Empty};
use tokio::sync::Mutex;
use tokio_util::bytes::BytesMut;
use tokio_util::codec::Decoder;
use tokio_util::sync::CancellationToken;

use super::Server;
use crate::error::{Error, Result};
use crate::tools::MAX_ARGUMENT_BYTES;

/// Longest accepted line: the largest arguments, escaped as badly as JSON allows in practice.
pub const MAX_LINE_BYTES: usize = 2 * MAX_ARGUMENT_BYTES;

/// How long calls may still end by themselves after the process was told to stop.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// Serves one client over the process's standard streams until it closes its end or the process is told to stop.
///
/// # Errors
/// The handshake failed.
pub async fn serve(server: Server) -> Result<()> {
    let (input, output) = rmcp::transport::io::stdio_pipes();
    let stop = CancellationToken::new();
    let told = stop.clone();
    let signal = super::stop_signal();
    tokio::spawn(async move {
        signal.await;
        told.cancel();
    });
    serve_over(server, input, output, stop).await
}

/// Serves one client over any two streams until the input ends or `stop` is cancelled.
///
/// # Errors
/// The handshake failed.
pub async fn serve_over<R, W>(server: Server, input: R, output: W, stop: CancellationToken) -> Result<()>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let transport = Lines::new(input, output);
    let serving = tokio::select! {
        serving = server.serve_with_ct(transport, stop.child_token()) => serving,
        () = stop.cancelled() => return Ok(()),
    };
    let running = match serving {
        Ok(running) => running,
        // Started and closed again without a word: not worth an error.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(Error::internal(format!("the client did not begin as MCP says: {error}"))),
    };
    let mut ended = std::pin::pin!(running.waiting());
    let reason = tokio::select! {
        reason = &mut ended => reason,
        () = stop.cancelled() => match tokio::time::timeout(STOP_GRACE, ended).await {
            Ok(reason) => reason,
            Err(_) => return Ok(()),
        },
    };
    reason.map(|_| ()).map_err(Error::internal)
}

/// All that is wanted of a message that is not one.
#[derive(Deserialize)]
struct Id {
    id: RequestId,
}

/// A transport of lines that answers what it cannot read.
struct Lines<R, W: AsyncWrite> {
    read: BufReader<R>,
    line: Vec<u8>,
    /// Inside a line that is too long already.
    skipping: bool,
    codec: JsonRpcMessageCodec<RxJsonRpcMessage<RoleServer>>,
    write: Arc<Mutex<AsyncRwTransport<RoleServer, Empty, W>>>,
}

impl<R, W> Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    fn new(read: R, write: W) -> Self {
        Self {
            read: BufReader::new(read),
            line: Vec::new(),
            skipping: false,
            codec: JsonRpcMessageCodec::new(),
            write: Arc::new(Mutex::new(AsyncRwTransport::new(tokio::io::empty(), write))),
        }
    }

    /// Reads up to a line end. Cancel-safe: what was read stays in `self`.
    ///
    /// `Ok(None)` at the end of input; `Ok(Some(false))` for a line that is too long.
    async fn read_line(&mut self) -> io::Result<Option<bool>> {
        loop {
            let chunk = self.read.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(chunk.len(), |end| end + 1);
            if !self.skipping {
                self.line.extend_from_slice(&chunk[..taken]);
            }
            self.read.consume(taken);
            if self.line.len() > MAX_LINE_BYTES {
                self.line = Vec::new();
                self.skipping = true;
            }
            if end.is_some() {
                return Ok(Some(!std::mem::take(&mut self.skipping)));
            }
        }
    }

    /// Answers a line that cannot be read. In a task of its own, as `receive` may be dropped halfway.
    fn object(&self, error: ErrorData, id: Option<RequestId>) {
        let write = Arc::clone(&self.write);
        tokio::spawn(async move {
            let sent = write.lock().await.send(TxJsonRpcMessage::<RoleServer>::error(error, id));
            if let Err(error) = sent.await {
                tracing::debug!(%error, "the client does not read");
            }
        });
    }

    fn decode(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let mut line = BytesMut::from(self.line.as_slice());
        let text = self.line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.line).trim_ascii();
        if text.is_empty() {
            return None;
        }
        if let Err(error) = serde_json::from_slice::<IgnoredAny>(text) {
            let message = format!("the line is not JSON: {error}");
            self.object(ErrorData::parse_error(message, None), None);
            return None;
        }
        match self.codec.decode(&mut line) {
            Ok(message) => message,
            Err(error) => {
                self.codec = JsonRpcMessageCodec::new();
                tracing::debug!(%error, "not a JSON-RPC message");
                let id = serde_json::from_slice::<Id>(text).ok().map(|message| message.id);
                self.object(ErrorData::invalid_request("not a JSON-RPC 2.0 request or notification of MCP", None), id);
                None
            }
        }
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let write = Arc::clone(&self.write);
        async move {
            let sent = write.lock().await.send(item);
            sent.await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            match self.read_line().await {
                Ok(Some(true)) => {
                    let message = self.decode();
                    self.line.clear();
                    if message.is_some() {
                        return message;
                    }
                }
                Ok(Some(false)) => {
                    let message = format!("the line is longer than {MAX_LINE_BYTES} bytes; send less in one call");
                    self.object(ErrorData::invalid_request(message, None), None);
                }
                Ok(None) => return None,
                Err(error) => {
                    tracing::error!(%error, "standard input cannot be read");
                    return None;
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.write.lock().await.close().await
    }
}
