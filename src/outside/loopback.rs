//! One file at an address of this machine, for as long as somebody holds it: what a test of fetching fetches.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a caller may take to ask.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most bytes of a request.
const MOST: usize = 8 * 1024;

/// The file while it is served. Dropped, nobody listens any more.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Serves these bytes on a free port, to callers on this machine only.
    ///
    /// # Errors
    /// The machine has no port for it.
    pub fn serve(content_type: &'static str, bytes: &'static [u8]) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let thread = std::thread::Builder::new().name("loopback".into()).spawn(move || {
            for stream in listener.incoming() {
                if told.load(Ordering::SeqCst) {
                    return;
                }
                // Who hangs up misses the file.
                let _ = stream.and_then(|stream| answer(stream, content_type, bytes));
            }
        })?;
        Ok(Self { address, over, thread: Some(thread) })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread, which waits for a caller.
        if TcpStream::connect_timeout(&self.address, PATIENCE).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

fn answer(mut stream: TcpStream, content_type: &str, bytes: &[u8]) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (mut asked, mut chunk) = (Vec::new(), [0; 1024]);
    while !asked.windows(4).any(|four| four == b"\r\n\r\n") {
        let count = stream.read(&mut chunk)?;
        if count == 0 || asked.len() > MOST {
            return Ok(());
        }
        asked.extend_from_slice(&chunk[..count]);
    }
    let length = bytes.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )?;
    stream.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_and_then_gone() {
        let served = Loopback::serve("text/plain", b"hello").unwrap();
        let address = served.address();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert!(
            said.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n") && said.ends_with("\r\n\r\nhello"),
            "{said}"
        );
        drop(served);
        assert!(TcpStream::connect(address).is_err());
    }
}
