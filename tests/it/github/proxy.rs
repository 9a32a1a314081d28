//! A proxy on loopback through which one GitHub is reached, by whatever name it is asked for.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The proxy. It takes connections until the story ends.
pub(crate) struct Proxy {
    address: String,
    tunnels: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// One whose tunnels all lead to `address`.
    pub(crate) fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: listener.local_addr().unwrap().to_string(), tunnels: Arc::default() };
        let (address, tunnels) = (address.to_owned(), Arc::clone(&proxy.tunnels));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, address, tunnels) = (stream.unwrap(), address.clone(), Arc::clone(&tunnels));
                std::thread::spawn(move || tunnel(stream, &address, &tunnels));
            }
        });
        proxy
    }

    /// Where it is found.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked for since it was asked this last, as `CONNECT HOST:PORT`.
    pub(crate) fn take_tunnels(&self) -> Vec<String> {
        std::mem::take(&mut self.tunnels.lock().unwrap())
    }
}

fn tunnel(stream: TcpStream, address: &str, tunnels: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let Some(asked) = lines.next() else { return };
    lines.for_each(drop);
    tunnels.lock().unwrap().push(asked.trim_end_matches(" HTTP/1.1").to_owned());
    if !asked.starts_with("CONNECT ") {
        let _gone = (&stream).write_all(b"HTTP/1.1 405 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return;
    }
    let server = TcpStream::connect(address).unwrap();
    let _gone = (&stream).write_all(b"HTTP/1.1 200 X\r\n\r\n");
    std::thread::scope(|threads| {
        threads.spawn(|| copy(&server, &stream));
        copy(reader, &server);
    });
}

/// Passes on what comes, until no more does.
fn copy(mut from: impl Read, mut to: &TcpStream) {
    let _gone = std::io::copy(&mut from, &mut to);
    let _gone = to.shutdown(Shutdown::Write);
}
